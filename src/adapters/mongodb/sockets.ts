/**
 * Mends one fault of the driver (mongodb 7.9.0, lib/cmap/connection.js): where a socket does not take a command at once, it waits
 * for 'drain' or 'error'. A socket that was destroyed before anybody was told takes nothing and emits neither: the command
 * waits for ever, with its place in the pool, and where it is the monitor's, its server is never found again. Decision 39.
 */
import { Connection } from 'mongodb/lib/cmap/connection.js'

const mended = Symbol('writes end with their connection')

/**
 * From here on a write fails when its connection ends, as a read does already. Once for a process.
 * @throws where the driver is no longer made as this expects: another version was installed.
 */
export const endWritesWithTheirConnection = (): void => {
  const driver: Connection & { [mended]?: true } = Connection.prototype
  if (driver[mended]) return
  const write = driver.writeCommand
  if (typeof write !== 'function')
    throw new Error('this version of the mongodb driver has no Connection.writeCommand: see ops/decisions/0039')
  driver.writeCommand = function (command, options) {
    const { promise: ended, reject } = Promise.withResolvers<never>()
    const onClose = (): void => reject(this.error ?? new Error('the connection was closed'))
    if (this.error) onClose()
    this.once('close', onClose)
    return Promise.race([write.call(this, command, options), ended]).finally(() => this.off('close', onClose))
  }
  driver[mended] = true
}
