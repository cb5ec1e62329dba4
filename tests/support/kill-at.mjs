/**
 * Loaded into a service before its own code: ends the process, as kill -9 does, at the step that KILL_AT names, such as `add:after`. Steps
 * are what the service asks of the file of jobs on a mail's way; the service itself knows nothing of it.
 */
import { Worker } from 'node:worker_threads'

const at = process.env['KILL_AT']
const reached = step => {
  if (step === at) process.kill(process.pid, 'SIGKILL')
}
let added = false
const steps = new Map()

const stepOf = ({ method, args }) => {
  const [first] = args
  if (method === 'addAll' && first.some(job => job.name === 'mail')) return 'add'
  if (method === 'checkpoint' && first === 'subscriber:mail' && added) return 'checkpoint'
  if (method === 'getNextJobToRun' && first === 'mail') return 'take'
  if (method === 'saveLocked' && first.name === 'mail') return first.lockedAt === undefined ? 'end' : 'begin'
  return method === 'getJobById' ? 'held' : undefined
}

if (at !== undefined) {
  const { postMessage, emit } = Worker.prototype
  Worker.prototype.postMessage = function (message, ...rest) {
    const step = typeof message?.method === 'string' ? stepOf(message) : undefined
    if (step !== undefined) {
      reached(`${step}:before`)
      added ||= step === 'add'
      steps.set(message.id, step)
    }
    return postMessage.call(this, message, ...rest)
  }
  Worker.prototype.emit = function (event, message, ...rest) {
    const step = event === 'message' && 'result' in Object(message) ? steps.get(message.id) : undefined
    if (step !== undefined && (step !== 'take' || message.result !== undefined)) {
      steps.delete(message.id)
      reached(`${step}:after`)
    }
    return emit.call(this, event, message, ...rest)
  }
}
