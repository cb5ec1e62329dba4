/**
 * What ratings come to: how they are distributed, the mean that is shown, and the bound that lists are sorted by.
 *
 * The mean is Bayesian: it begins at the mean of all ratings of that kind of work, and moves from there as a work has its own. The mean of
 * all is known when it is read, and moves with every rating anywhere; what is sorted by may not: an index would have to be written anew.
 * The bound therefore needs nothing but the work's own counts (Open Library, openlibrary/core/ratings.py, compute_sortable_rating).
 */

/** The least and the most that a rating is. */
export const LEAST_STARS = 1
export const MOST_STARS = 5

/** How many gave one star, two, and so on to five. */
export type StarCounts = readonly [number, number, number, number, number]
export const noStars: StarCounts = [0, 0, 0, 0, 0]

/** Is it a number of stars that somebody may give? */
export const isStars = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= LEAST_STARS && value <= MOST_STARS

/** The counts with so many more, or fewer, of one number of stars; never fewer than none. A number that is none of the five counts nowhere. */
export const counted = (counts: StarCounts, stars: number, by: number): StarCounts => {
  const more = (at: number): number => Math.max(0, (counts[at - LEAST_STARS] ?? 0) + (at === stars ? by : 0))
  return [more(1), more(2), more(3), more(4), more(5)]
}

/** How many rated. */
export const totalOf = (counts: StarCounts): number => counts.reduce((sum, count) => sum + count, 0)
/** The sum of all their stars. */
const sumOf = (counts: StarCounts): number =>
  counts.reduce((sum, count, index) => sum + count * (index + LEAST_STARS), 0)

/** One of each number of stars: what stands for a community that has rated next to nothing. */
const pseudo: StarCounts = [1, 1, 1, 1, 1]
const withPseudo = (counts: StarCounts): StarCounts => [
  counts[0] + pseudo[0],
  counts[1] + pseudo[1],
  counts[2] + pseudo[2],
  counts[3] + pseudo[3],
  counts[4] + pseudo[4],
]

/** As many ratings of a work as weigh what the mean of all works does. */
export const PRIOR_WEIGHT = 5
const HUNDREDTHS = 100

/** The mean that is shown, in hundredths of a star; `all`: the counts of all works of its kind. undefined: nobody has rated it. */
export const meanOf = (counts: StarCounts, all: StarCounts): number | undefined => {
  const total = totalOf(counts)
  if (total === 0) return undefined
  const everywhere = withPseudo(all)
  const prior = sumOf(everywhere) / totalOf(everywhere)
  return Math.round(((PRIOR_WEIGHT * prior + sumOf(counts)) / (PRIOR_WEIGHT + total)) * HUNDREDTHS) / HUNDREDTHS
}

/** Of a normal distribution 95 in a hundred lie above the mean less so many standard deviations. */
const DEVIATIONS = 1.65
const MILLIONTHS = 1_000_000

/**
 * What lists are sorted by, in millionths of a star, a whole number: the mean of the posterior (a Dirichlet distribution, one pseudo-vote a
 * star) less 1.65 of its standard deviations. Few ratings are worth less than many that are as good.
 */
export const boundOf = (counts: StarCounts): number => {
  const posterior = withPseudo(counts)
  const total = totalOf(posterior)
  const mean = sumOf(posterior) / total
  const squares = posterior.reduce((sum, count, index) => sum + count * (index + LEAST_STARS) ** 2, 0) / total
  const deviation = Math.sqrt((squares - mean ** 2) / (total + 1))
  return Math.round((mean - DEVIATIONS * deviation) * MILLIONTHS)
}
