/**
 * The language table that ships with the project: canonical BCP 47 tags, and how each language folds and stems. It is
 * ours, and no runtime's, because an entry's id is made from the canonical tag and must never change with an upgrade.
 */

/** Codes that RFC 5646 section 4.5 replaces: ISO 639-2/3 and withdrawn codes of languages that have a shorter one. */
const aliases: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ iw: 'he', in: 'id', ji: 'yi', jw: 'jv', mo: 'ro', sh: 'sr', tl: 'fil', no: 'nb' },
    ...{ eng: 'en', deu: 'de', ger: 'de', fra: 'fr', fre: 'fr', spa: 'es', ita: 'it', por: 'pt', nld: 'nl', dut: 'nl' },
    ...{ swe: 'sv', dan: 'da', nob: 'nb', nno: 'nn', nor: 'nb', fin: 'fi', isl: 'is', ice: 'is', rus: 'ru', ukr: 'uk' },
    ...{ pol: 'pl', ces: 'cs', cze: 'cs', slk: 'sk', slo: 'sk', slv: 'sl', hrv: 'hr', srp: 'sr', bos: 'bs', bul: 'bg' },
    ...{ mkd: 'mk', mac: 'mk', ell: 'el', gre: 'el', tur: 'tr', aze: 'az', hun: 'hu', ron: 'ro', rum: 'ro', lat: 'la' },
    ...{ gle: 'ga', gla: 'gd', cym: 'cy', wel: 'cy', bre: 'br', eus: 'eu', baq: 'eu', cat: 'ca', glg: 'gl', est: 'et' },
    ...{ lav: 'lv', lit: 'lt', sqi: 'sq', alb: 'sq', hye: 'hy', arm: 'hy', kat: 'ka', geo: 'ka', fas: 'fa', per: 'fa' },
    ...{ ara: 'ar', heb: 'he', yid: 'yi', hin: 'hi', urd: 'ur', ben: 'bn', tam: 'ta', tel: 'te', mar: 'mr', guj: 'gu' },
    ...{ zho: 'zh', chi: 'zh', cmn: 'zh', jpn: 'ja', kor: 'ko', vie: 'vi', tha: 'th', ind: 'id', msa: 'ms', may: 'ms' },
    ...{ swa: 'sw', zul: 'zu', xho: 'xh', afr: 'af', amh: 'am', som: 'so', hau: 'ha', yor: 'yo', ibo: 'ig', mlt: 'mt' },
    ...{ epo: 'eo', ina: 'ia', san: 'sa', bod: 'bo', tib: 'bo', mya: 'my', bur: 'my', khm: 'km', lao: 'lo', mon: 'mn' },
    ...{ kaz: 'kk', uzb: 'uz', tat: 'tt', kir: 'ky', tgk: 'tg', tuk: 'tk', uig: 'ug', pan: 'pa', kan: 'kn', mal: 'ml' },
  }),
)

const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase()

// RFC 5646, section 2.1, without grandfathered tags: language ["-" extlang] ["-" script] ["-" region] variants extensions.
const grammar =
  /^([a-z]{2,3}|[a-z]{5,8})(?:-([a-z]{3}))?(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?((?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)((?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*)((?:-x(?:-[a-z0-9]{1,8})+)?)$/

/**
 * The canonical form of a tag (RFC 5646, section 4.5): shortest language code, extended language in its own right, case by
 * convention, variants in order. Undefined for what is not well formed.
 */
export const canonicalLanguage = (tag: string): string | undefined => {
  if (tag.length > 60) return undefined
  const found = grammar.exec(tag.toLowerCase())
  if (!found) return undefined
  const [, primary = '', extended, script, region, variants = '', extensions = '', privateUse = ''] = found
  const named = extended ?? primary
  const sorted = variants.split('-').filter(Boolean)
  if (new Set(sorted).size !== sorted.length) return undefined
  return [
    aliases.get(named) ?? named,
    ...(script === undefined ? [] : [capitalised(script)]),
    ...(region === undefined ? [] : [region.toUpperCase()]),
    ...sorted.toSorted(),
    ...extensions.split('-').filter(Boolean),
    ...privateUse.split('-').filter(Boolean),
  ].join('-')
}

/** How a language folds. `kept` are letters that are letters of their own there, not another one with an accent. */
export type Folding = {
  readonly kept: string
  /** Dotted and dotless i are two letters. */
  readonly dottedI: boolean
  /** What letters become when accents are folded, beside their base letter. */
  readonly spelt: Readonly<Record<string, string>>
}

const plain: Folding = { kept: '', dottedI: false, spelt: {} }
const foldings: Readonly<Record<string, Folding>> = {
  de: { kept: '', dottedI: false, spelt: { ß: 'ss' } },
  tr: { kept: 'ıçğöşü', dottedI: true, spelt: {} },
  az: { kept: 'ıçğöşüə', dottedI: true, spelt: {} },
  es: { kept: 'ñ', dottedI: false, spelt: {} },
  gl: { kept: 'ñ', dottedI: false, spelt: {} },
  eu: { kept: 'ñ', dottedI: false, spelt: {} },
  fil: { kept: 'ñ', dottedI: false, spelt: {} },
  sv: { kept: 'åäö', dottedI: false, spelt: {} },
  fi: { kept: 'åäö', dottedI: false, spelt: {} },
  et: { kept: 'äöõü', dottedI: false, spelt: {} },
  da: { kept: 'åæø', dottedI: false, spelt: {} },
  nb: { kept: 'åæø', dottedI: false, spelt: {} },
  nn: { kept: 'åæø', dottedI: false, spelt: {} },
  is: { kept: 'áéíóúýðþæö', dottedI: false, spelt: {} },
}

const primaryOf = (language: string): string => language.split('-', 1)[0] ?? language

export const foldingOf = (language: string): Folding => foldings[primaryOf(language)] ?? plain

/** Languages whose words fold otherwise than everywhere else: a query in no language is folded in each of these ways too. */
export const foldingLanguages: readonly string[] = Object.keys(foldings)

const stemmers: Readonly<Record<string, string>> = {
  ...{
    ar: 'arabic',
    hy: 'armenian',
    eu: 'basque',
    ca: 'catalan',
    cs: 'czech',
    da: 'danish',
    nl: 'dutch',
    en: 'english',
  },
  ...{ fi: 'finnish', fr: 'french', de: 'german', hu: 'hungarian', it: 'italian', ga: 'irish', nb: 'norwegian' },
  ...{ nn: 'norwegian', pt: 'portuguese', ro: 'romanian', ru: 'russian', es: 'spanish', sl: 'slovene', sv: 'swedish' },
  ...{ ta: 'tamil', tr: 'turkish' },
}

/** The Snowball algorithm of a language, if there is one. */
export const stemmerOf = (language: string): string | undefined => stemmers[primaryOf(language)]

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))
const stops: Readonly<Record<string, ReadonlySet<string>>> = {
  en: words(
    'a an and are as at be but by for from has have in into is it its no not of on or such that the their then there these they this to was were which who will with',
  ),
  de: words(
    'aber als am an auch auf aus bei bis das dem den der des die ein eine einem einen einer eines er es für im in ist mit nach nicht oder sich sie sind so und von vor wie zu zum zur',
  ),
  es: words('a al como con de del el en es esta este la las lo los no o para por que se si sin su sus un una y'),
  fr: words(
    'à au aux avec ce ces dans de des du elle en est et il la le les leur ne on ou par pas pour qui que sa se ses son sur un une',
  ),
  it: words('a al alla che con da dei del della di e è gli i il in la le lo non o per si su un una uno'),
  pt: words('a ao as com da das de do dos e em é na nas no nos o os ou para por que se sem seu sua um uma'),
  nl: words(
    'aan als bij dat de der die dit door een en het in is met na naar niet of om op te tot uit van voor was worden zijn',
  ),
  sv: words('att av de den det eller en ett för från han har i inte med om på som till var är och'),
}

const none: ReadonlySet<string> = new Set()
/** Words too common to search definitions by. */
export const stopWordsOf = (language: string): ReadonlySet<string> => stops[primaryOf(language)] ?? none
