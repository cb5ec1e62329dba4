/** Where a request comes from, as limits and blocks take it: an address, and nothing that changes from request to request. */
import type { FastifyRequest } from 'fastify'
import { readAddress } from '../../domain/network.ts'

const WITH_PORT = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):\d{1,5}$/i

/**
 * The address that a trusted proxy tells of its client, or that of who connects. Some proxies tell the client's port with it, which
 * is another one for each connection: as a text it would be somebody else each time, whom no limit and no block holds. What names
 * no address at all stands for the proxy that told it.
 */
export const clientAddress = ({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string => {
  const [, six, four] = WITH_PORT.exec(ip) ?? []
  const told = six ?? four ?? ip
  return readAddress(told) ? told : (socket.remoteAddress ?? '')
}
