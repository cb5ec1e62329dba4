/** Where a request comes from, as limits and blocks take it: an address, and nothing that changes from request to request. */
import type { FastifyRequest } from 'fastify'
import { readAddress } from '../../domain/network.ts'
import { ProblemError } from './problems.ts'

const WITH_PORT = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):\d{1,5}$/i

/**
 * The address that a trusted proxy tells of its client, or that of who connects. Some proxies tell the client's port with it, which
 * is another one for each connection: as a text it would be somebody else each time, whom no limit and no block holds. What names
 * no address at all stands for the proxy that told it. Of a connection that has ended the system knows none any more: what came by it is
 * not carried out, since no limit and no block would hold it.
 * @throws {ProblemError} request-malformed: of such a connection.
 */
export const clientAddress = ({
  ip,
  socket,
}: Pick<FastifyRequest, 'socket'> & { readonly ip: FastifyRequest['ip'] | undefined }): string => {
  if (ip === undefined) throw new ProblemError('request-malformed', 'The connection has ended: nobody can be answered.')
  const [, six, four] = WITH_PORT.exec(ip) ?? []
  const told = six ?? four ?? ip
  return readAddress(told) ? told : (socket.remoteAddress ?? '')
}
