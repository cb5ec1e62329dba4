/** The client of EventStoreDB with what it lacks: an end, a way off a connection that says nothing, no throw at late answers or lost ones. */
import { type Duplex, finished, Readable, Writable } from 'node:stream'
import { EventStoreDBClient, UnavailableError } from '@eventstore/db-client'

type Call = Readable | Writable | Duplex

/**
 * The client keeps the appends that wait in one table of the process and empties it with each call that fails. What another call
 * answers after that has no place in it, and the client throws where nobody can catch it. Those appends were told to have an
 * unknown outcome: the answer says nothing that sending them again would not.
 */
const deafToStrangers = (call: Call): void => {
  const listeners = call.listeners('data')
  call.removeAllListeners('data')
  call.on('data', (answer: unknown) => {
    try {
      for (const listener of listeners) Reflect.apply(listener, call, [answer])
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
  })
}

/**
 * Who stops reading takes the pipe off and leaves what is buffered: the end that stands behind it would never come, and the client
 * hold the call for ever. So the rest is let flow away.
 */
const flowingAway = (call: Readable): void => {
  const unpipe = call.unpipe.bind(call)
  call.unpipe = to => {
    unpipe(to)
    return call.resume()
  }
}

/**
 * The client holds back what its call does not take at once, and when the call fails it rejects what it holds where nobody can
 * catch it, which ends a process. So the call says that it takes everything: the order stays, what waits is as much as before, in
 * the call instead of in front of it, and the appender bounds it by number and characters (`busy`). A call that fails lets go of it,
 * and its appends are told to have an unknown outcome.
 */
const takingAll = (call: Writable): void => {
  const write = call.write.bind(call)
  call.write = (message: unknown) => {
    write(message)
    return true
  }
}

/** What the client calls its appends. */
const APPENDS = 'appendToStream'

export class EsdbClient extends EventStoreDBClient {
  #monotonic: () => number = () => 0
  #opening = 0
  #calls = 0
  #appendCallsOver = 0
  #openedAt = 0
  #ended = false
  #channel: { close(): void } | undefined
  /** Leaves the connection that calls are made on now: the next call makes another one. */
  #leave: (() => Promise<void>) | undefined

  /**
   * To be called once. The client looks after a failed call without waiting, and what that meets (a discovery that failed
   * meanwhile) would be an unhandled rejection, which ends a process.
   */
  sound(monotonic: () => number): this {
    this.#monotonic = monotonic
    const { handleError, getChannel, GRPCStreamCreator, execute } = this
    this.handleError = (grpc, error) => handleError(grpc, error).catch(() => undefined)
    this.getChannel = async () => {
      this.#opening += 1
      try {
        const channel = await getChannel()
        if (channel !== this.#channel) this.#openedAt = monotonic()
        this.#channel = channel
        if (this.#ended) channel.close()
        return channel
      } finally {
        this.#opening -= 1
      }
    }
    this.execute = (type, name, action) =>
      execute(type, name, grpc => {
        this.#leave = () => this.handleError(grpc, new UnavailableError())
        return action(grpc)
      })
    this.GRPCStreamCreator = (type, name, create, cache) =>
      GRPCStreamCreator(
        type,
        name,
        grpc => {
          this.#leave = () => this.handleError(grpc, new UnavailableError())
          const call = create(grpc)
          if (call instanceof Promise) return call
          if (name === APPENDS) {
            deafToStrangers(call)
            if (call instanceof Writable) takingAll(call)
          } else if (call instanceof Readable) flowingAway(call)
          this.#calls += 1
          finished(call, () => {
            this.#calls -= 1
            if (name === APPENDS) this.#appendCallsOver += 1
          })
          return call
        },
        cache,
      )
    return this
  }

  /** The server's version as it says it; `unknown` of servers before 21.10. */
  async serverVersion(): Promise<string> {
    return (await this.capabilities).serverVersion
  }

  /** Something is still read or written on it. */
  get inUse(): boolean {
    return this.#calls > 0
  }

  /** Changes when a call for appends has ended: the next one is another call, maybe on another server. */
  get appendCallsOver(): number {
    return this.#appendCallsOver
  }

  /**
   * Nothing was heard for so many milliseconds. A connection that was made while the other side did not answer is never given up
   * by itself: its pings begin with the first answer. One that is younger than the silence is not meant.
   */
  silent(ms: number): void {
    if (this.#opening === 0 && this.#monotonic() - this.#openedAt >= ms / 2) void this.#leave?.()
  }

  /** Ends what is open and the connection itself, which `dispose` leaves to itself. */
  end(): void {
    this.#ended = true
    // Calls are ended in this turn; that they are over nobody needs to wait for.
    void this.dispose()
    this.#channel?.close()
  }
}
