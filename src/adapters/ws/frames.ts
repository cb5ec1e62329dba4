/** Server frames of RFC 6455 built by hand: unmasked, whole, without extensions, so that one buffer serves every receiver. */
import type { LiveTransport } from '../../subscribers/live.ts'

const TEXT = 0x81

/** A text frame (RFC 6455, 5.2). */
export const textFrame = (text: string): Buffer => {
  const length = Buffer.byteLength(text)
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
  frame.write(text, start)
  return frame
}

export const webSocketTransport: LiveTransport = {
  name: 'websocket',
  encode: message => textFrame(JSON.stringify(message)),
}
