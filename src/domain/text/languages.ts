/**
 * The language table that ships with the project: canonical BCP 47 tags, and how each language folds and stems. It is
 * ours, and no runtime's, because an entry's id is made from the canonical tag and must never change with an upgrade.
 */

/**
 * Codes that RFC 5646, section 4.5, replaces: withdrawn ones, and every ISO 639-2 code (B and T) of a language that has one
 * of two letters. The list is complete, since an alias that came later would change the ids of entries that are there.
 */
const aliases: ReadonlyMap<string, string> = new Map(
  `
  iw:he in:id ji:yi jw:jv mo:ro sh:sr tl:fil no:nb cmn:zh
  aar:aa abk:ab afr:af aka:ak alb:sq amh:am ara:ar arg:an arm:hy asm:as ava:av ave:ae aym:ay aze:az bak:ba bam:bm
  baq:eu bel:be ben:bn bih:bh bis:bi bod:bo bos:bs bre:br bul:bg bur:my cat:ca ces:cs cha:ch che:ce chi:zh chu:cu
  chv:cv cor:kw cos:co cre:cr cym:cy cze:cs dan:da deu:de div:dv dut:nl dzo:dz ell:el eng:en epo:eo est:et eus:eu
  ewe:ee fao:fo fas:fa fij:fj fin:fi fra:fr fre:fr fry:fy ful:ff geo:ka ger:de gla:gd gle:ga glg:gl glv:gv gre:el
  grn:gn guj:gu hat:ht hau:ha heb:he her:hz hin:hi hmo:ho hrv:hr hun:hu hye:hy ibo:ig ice:is ido:io iii:ii iku:iu
  ile:ie ina:ia ind:id ipk:ik isl:is ita:it jav:jv jpn:ja kal:kl kan:kn kas:ks kat:ka kau:kr kaz:kk khm:km kik:ki
  kin:rw kir:ky kom:kv kon:kg kor:ko kua:kj kur:ku lao:lo lat:la lav:lv lim:li lin:ln lit:lt ltz:lb lub:lu lug:lg
  mac:mk mah:mh mal:ml mao:mi mar:mr may:ms mkd:mk mlg:mg mlt:mt mon:mn mri:mi msa:ms mya:my nau:na nav:nv nbl:nr
  nde:nd ndo:ng nep:ne nld:nl nno:nn nob:nb nor:nb nya:ny oci:oc oji:oj ori:or orm:om oss:os pan:pa per:fa pli:pi
  pol:pl por:pt pus:ps que:qu roh:rm ron:ro rum:ro run:rn rus:ru sag:sg san:sa sin:si slk:sk slo:sk slv:sl sme:se
  smo:sm sna:sn snd:sd som:so sot:st spa:es sqi:sq srd:sc srp:sr ssw:ss sun:su swa:sw swe:sv tah:ty tam:ta tat:tt
  tel:te tgk:tg tgl:fil tha:th tib:bo tir:ti ton:to tsn:tn tso:ts tuk:tk tur:tr twi:tw uig:ug ukr:uk urd:ur uzb:uz
  ven:ve vie:vi vol:vo wel:cy wln:wa wol:wo xho:xh yid:yi yor:yo zha:za zho:zh zul:zu
  `
    .trim()
    .split(/\s+/)
    .map((pair): readonly [string, string] => [pair.slice(0, pair.indexOf(':')), pair.slice(pair.indexOf(':') + 1)]),
)

const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase()

// RFC 5646, section 2.1, without grandfathered tags: language ["-" extlang] ["-" script] ["-" region] variants extensions.
const grammar =
  /^([a-z]{2,3}|[a-z]{5,8})(?:-([a-z]{3}))?(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?((?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)((?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*)((?:-x(?:-[a-z0-9]{1,8})+)?)$/

/**
 * The canonical form of a tag (RFC 5646, section 4.5): shortest language code, extended language in its own right, case by
 * convention, variants and extensions in order. Undefined for what is not well formed.
 */
export const canonicalLanguage = (tag: string): string | undefined => {
  if (tag.length > 60) return undefined
  const found = grammar.exec(tag.toLowerCase())
  if (!found) return undefined
  const [, primary = '', extlang, script, region, variants = '', extensions = '', privateUse = ''] = found
  const named = extlang ?? primary
  const sorted = variants.split('-').filter(Boolean)
  // A singleton begins each extension; both it and a variant stand once.
  const extended = extensions.split(/-(?=[a-z0-9]-)/).filter(Boolean)
  const singletons = extended.map(each => each.slice(0, 1))
  if (new Set(sorted).size !== sorted.length || new Set(singletons).size !== singletons.length) return undefined
  return [
    aliases.get(named) ?? named,
    ...(script === undefined ? [] : [capitalised(script)]),
    ...(region === undefined ? [] : [region.toUpperCase()]),
    ...sorted.toSorted(),
    ...extended.toSorted(),
    ...privateUse.split('-').filter(Boolean),
  ].join('-')
}

/** How a language folds. `kept` are letters that are letters of their own there, not another one with an accent. */
export type Folding = {
  readonly kept: string
  /** Dotted and dotless i are two letters. */
  readonly dottedI: boolean
  /** What letters become when accents are folded, beside their base letter. */
  readonly spelt: ReadonlyMap<string, string>
}

const usual: ReadonlyMap<string, string> = new Map()
const plain: Folding = { kept: '', dottedI: false, spelt: usual }
const foldings: ReadonlyMap<string, Folding> = new Map<string, Folding>([
  ['de', { kept: '', dottedI: false, spelt: new Map([['ß', 'ss']]) }],
  ['tr', { kept: 'ıçğöşü', dottedI: true, spelt: usual }],
  ['az', { kept: 'ıçğöşüə', dottedI: true, spelt: usual }],
  ['es', { kept: 'ñ', dottedI: false, spelt: usual }],
  ['gl', { kept: 'ñ', dottedI: false, spelt: usual }],
  ['eu', { kept: 'ñ', dottedI: false, spelt: usual }],
  ['fil', { kept: 'ñ', dottedI: false, spelt: usual }],
  ['sv', { kept: 'åäö', dottedI: false, spelt: usual }],
  ['fi', { kept: 'åäö', dottedI: false, spelt: usual }],
  ['et', { kept: 'äöõü', dottedI: false, spelt: usual }],
  ['da', { kept: 'åæø', dottedI: false, spelt: usual }],
  ['nb', { kept: 'åæø', dottedI: false, spelt: usual }],
  ['nn', { kept: 'åæø', dottedI: false, spelt: usual }],
  ['is', { kept: 'áéíóúýðþæö', dottedI: false, spelt: usual }],
])

/** The language without script, region and the rest: folding and stemming go by it. */
export const primaryOf = (language: string): string => {
  const end = language.indexOf('-')
  return end < 0 ? language : language.slice(0, end)
}

export const foldingOf = (language: string): Folding => foldings.get(primaryOf(language)) ?? plain

/** Languages whose words fold otherwise than everywhere else: a query in no language is folded in each of these ways too. */
export const foldingLanguages: readonly string[] = [...foldings.keys()]

const stemmers: ReadonlyMap<string, string> = new Map([
  ['ar', 'arabic'],
  ['hy', 'armenian'],
  ['eu', 'basque'],
  ['ca', 'catalan'],
  ['cs', 'czech'],
  ['da', 'danish'],
  ['nl', 'dutch'],
  ['en', 'english'],
  ['fi', 'finnish'],
  ['fr', 'french'],
  ['de', 'german'],
  ['hu', 'hungarian'],
  ['it', 'italian'],
  ['ga', 'irish'],
  ['nb', 'norwegian'],
  ['nn', 'norwegian'],
  ['pt', 'portuguese'],
  ['ro', 'romanian'],
  ['ru', 'russian'],
  ['es', 'spanish'],
  ['sl', 'slovene'],
  ['sv', 'swedish'],
  ['ta', 'tamil'],
  ['tr', 'turkish'],
])

/** The Snowball algorithm of a language, if there is one. */
export const stemmerOf = (language: string): string | undefined => stemmers.get(primaryOf(language))

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))
const stops: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    'en',
    words(
      'a an and are as at be but by for from has have in into is it its no not of on or such that the their then there these they this to was were which who will with',
    ),
  ],
  [
    'de',
    words(
      'aber als am an auch auf aus bei bis das dem den der des die ein eine einem einen einer eines er es für im in ist mit nach nicht oder sich sie sind so und von vor wie zu zum zur',
    ),
  ],
  ['es', words('a al como con de del el en es esta este la las lo los no o para por que se si sin su sus un una y')],
  [
    'fr',
    words(
      'à au aux avec ce ces dans de des du elle en est et il la le les leur ne on ou par pas pour qui que sa se ses son sur un une',
    ),
  ],
  ['it', words('a al alla che con da dei del della di e è gli i il in la le lo non o per si su un una uno')],
  ['pt', words('a ao as com da das de do dos e em é na nas no nos o os ou para por que se sem seu sua um uma')],
  [
    'nl',
    words(
      'aan als bij dat de der die dit door een en het in is met na naar niet of om op te tot uit van voor was worden zijn',
    ),
  ],
  ['sv', words('att av de den det eller en ett för från han har i inte med om på som till var är och')],
])

const none: ReadonlySet<string> = new Set()
/** Words too common to search definitions by. */
export const stopWordsOf = (language: string): ReadonlySet<string> => stops.get(primaryOf(language)) ?? none
