#!/usr/bin/env node
// Plain JavaScript that an old Node reads too: it starts src/main.ts on a Node that can run it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const NEEDED = 24
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const main = join(root, 'src', 'main.ts')

/** The Node that came with the dependencies; they stand in our own folder, or around it when we are one of them. */
const bundled = () => {
  const file = process.platform === 'win32' ? 'node.exe' : 'node'
  const name = join(`node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`, 'bin', file)
  return [join(root, 'node_modules', name), join(dirname(root), name)].find(path => existsSync(path))
}

/** Runs the program in a child, passes signals on, and ends as the child ends. */
const startWith = node => {
  // The channel tells the child when this process is gone, also by a kill that cannot be passed on.
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', error => {
    process.stderr.write(`lexichron: ${node} does not start: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code === null ? 128 + (constants.signals[signal] || 0) : code
  })
}

const running = typeof process.versions.bun === 'string' ? 0 : Number(process.versions.node.split('.')[0])
if (running >= NEEDED) {
  await import(pathToFileURL(main).href)
} else {
  const node = bundled()
  if (node) startWith(node)
  else {
    process.stderr.write(
      `lexichron: Node ${NEEDED} or newer is needed and this is ${process.version}: run "npm ci" in ${root}, which brings one, or install it.\n`,
    )
    process.exitCode = 1
  }
}
