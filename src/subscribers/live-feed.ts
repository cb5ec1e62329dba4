/** The hub with the channels of this service, and what those are told that the clock feeds. */
import type { Channels, Listener, News } from '../core/live/channels.ts'
import { type Hub, type HubOptions, openHub } from '../core/live/hub.ts'
import type { JsonObject } from '../domain/event.ts'
import type { People } from '../projections/people.ts'
import { type ChannelName, channelOf, dataOf, noticeOf, scopeOf, wants } from './live-channels.ts'

export type LiveHub = Hub<ChannelName>

/** What the channel `projections` tells of one, every second. */
export type ProjectionNews = JsonObject & { readonly name: string }

export type LiveOptions = Omit<HubOptions<ChannelName>, 'channels' | 'news'> & {
  /** Which notices people have switched off. */
  readonly people: Pick<People, 'wants'>
  readonly projections: () => Promise<readonly ProjectionNews[]>
  /** Live connections now, of all nodes that can be seen. */
  readonly connections: () => number
  /** The day's figures, for those on `activity` who may read analytics. */
  readonly figures: () => Promise<JsonObject>
}

const channelsFor = (people: Pick<People, 'wants'>): Channels<ChannelName> => ({
  log: name => channelOf(name).log,
  scope: scopeOf,
  wants: (name, filter, listener, event, look) => {
    if (!wants(name, filter, listener, event, look)) return false
    const notice = name === 'me' ? noticeOf(event) : undefined
    return notice === undefined || people.wants(listener.actor?.id ?? '', notice)
  },
  data: dataOf,
})

const readsAnalytics = ({ permissions }: Listener): boolean => permissions.has('analytics:read')

export const openLiveHub = ({ projections, connections, figures, people, ...options }: LiveOptions): LiveHub => {
  const news: readonly News<ChannelName>[] = [
    {
      channel: 'activity',
      type: 'Activity',
      tell: ({ events, types }) => [{ seconds: 1, events, types, connections: connections() }],
    },
    {
      channel: 'activity',
      type: 'Analytics',
      to: readsAnalytics,
      tell: async () => [await figures()],
    },
    { channel: 'projections', type: 'ProjectionProgress', tell: projections },
  ]
  return openHub({ ...options, channels: channelsFor(people), news })
}
