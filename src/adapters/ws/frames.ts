/** Server frames of RFC 6455 built by hand: unmasked, whole, without extensions, so that one buffer serves every receiver. */
import type { LiveTransport } from '../../core/live/transport.ts'

const TEXT = 0x81

/** A text frame (RFC 6455, 5.2) of so many bytes, and where they begin in it. */
const openFrame = (length: number): { readonly frame: Buffer; readonly start: number } => {
  const start = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(start + length)
  frame[0] = TEXT
  if (start === 2) frame[1] = length
  else if (start === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  return { frame, start }
}

export const textFrame = (text: string): Buffer => {
  const { frame, start } = openFrame(Buffer.byteLength(text))
  frame.write(text, start)
  return frame
}

const BEFORE = Buffer.from('{"op":"event","id":')

export const webSocketTransport: LiveTransport = {
  name: 'websocket',
  encode: message => textFrame(JSON.stringify(message)),
  // The event is an object with members: its text without the bracket follows the id.
  around: event => ({ before: BEFORE, after: Buffer.from(`,${JSON.stringify(event).slice(1)}`) }),
  join: ({ before, after }, id) => {
    const { frame, start } = openFrame(before.length + id.length + after.length)
    before.copy(frame, start)
    id.copy(frame, start + before.length)
    after.copy(frame, start + before.length + id.length)
    return frame
  },
}
