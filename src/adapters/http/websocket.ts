/** Where the one WebSocket of the service is, and what it speaks. */

export const LIVE_PATH = '/v1/live'
export const SUBPROTOCOL = 'lexichron.v1'
