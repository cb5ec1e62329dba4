/** Tells agenda that something may be due in this process: by itself it looks only every now and then. */
import { type NotificationChannel, type NotificationHandler, toJobId } from 'agenda'

export type Waker = {
  readonly channel: NotificationChannel
  wake(name: string): void
}

/** agenda looks for whatever is due; which job it was told of does not matter. */
const ANY = toJobId('')

export const openWaker = (): Waker => {
  const handlers = new Set<NotificationHandler>()
  const channel: NotificationChannel = {
    state: 'connected',
    connect: async () => undefined,
    disconnect: async () => undefined,
    publish: async () => undefined,
    subscribe: handler => {
      handlers.add(handler)
      return () => void handlers.delete(handler)
    },
    on: () => channel,
    off: () => channel,
  }
  /** One look at a time of each name; true where somebody has asked meanwhile. */
  const looking = new Map<string, boolean>()
  const look = async (jobName: string): Promise<void> => {
    do {
      looking.set(jobName, false)
      const notification = { jobId: ANY, jobName, nextRunAt: null, priority: 0, timestamp: new Date() }
      for (const handler of handlers) await handler(notification)
    } while (looking.get(jobName) === true)
    looking.delete(jobName)
  }
  return {
    channel,
    wake: name => {
      if (looking.has(name)) looking.set(name, true)
      else void look(name)
    },
  }
}
