/**
 * What the IANA Language Subtag Registry (of the same day as src/domain/text/registered-languages.ts) has withdrawn in favour of
 * something else: its `Preferred-Value`. RFC 5646, section 4.5, has it replaced. Apart from the codes of `canonicalLanguage`, which
 * ids are made with, this is asked when a tag is taken from somebody, so that it may grow.
 */
import { canonicalLanguage } from './languages.ts'

const pairs = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .trim()
      .split(/\s+/)
      .map((pair): readonly [string, string] => [pair.slice(0, pair.indexOf(':')), pair.slice(pair.indexOf(':') + 1)]),
  )

/** Whole tags: those of before RFC 4646, most of which its grammar does not know, and sign languages by their country. */
const tags = pairs(
  `
  art-lojban:jbo en-gb-oed:en-GB-oxendict i-ami:ami i-bnn:bnn i-hak:hak i-klingon:tlh i-lux:lb i-navajo:nv i-pwn:pwn
  i-tao:tao i-tay:tay i-tsu:tsu no-bok:nb no-nyn:nn sgn-be-fr:sfb sgn-be-nl:vgt sgn-ch-de:sgg zh-guoyu:cmn
  zh-hakka:hak zh-min-nan:nan zh-xiang:hsn sgn-br:bzs sgn-co:csn sgn-de:gsg sgn-dk:dsl sgn-es:ssp sgn-fr:fsl
  sgn-gb:bfi sgn-gr:gss sgn-ie:isg sgn-it:ise sgn-jp:jsl sgn-mx:mfs sgn-ni:ncs sgn-nl:dse sgn-no:nsl sgn-pt:psr
  sgn-se:swl sgn-us:ase sgn-za:sfs zh-cmn:cmn zh-cmn-hans:cmn-Hans zh-cmn-hant:cmn-Hant zh-gan:gan zh-wuu:wuu
  zh-yue:yue
  `,
)

const languages = pairs(
  `
  aam:aas adp:dz ajp:apc ajt:aeb asd:snz aue:ktz ayx:nun bgm:bcg bic:bir bjd:drl blg:iba ccq:rki cjr:mom cka:cmr
  cmk:xch coy:pij cqu:quh dek:sqm dit:dif drh:khk drr:kzk drw:prs gav:dev gfx:vaj ggn:gvr gli:kzk gti:nyc guv:duz
  hrr:jal ibi:opa ilw:gal jeg:oyb kgc:tdf kgh:kml kgm:plu koj:kwv krm:bmf ktr:dtp kvs:gdj kwq:yam kxe:tvd kxl:kru
  kzj:dtp kzt:dtp lak:ksp lii:raq llo:ngt lmm:rmx meg:cir mst:mry mwj:vaj myd:aog myt:mry nad:xny ncp:kdz nns:nbr
  nnx:ngv nom:cbr nte:eko nts:pij nxu:bpp oun:vaj pat:kxr pcr:adx pmc:huw pmk:crr pmu:phr ppa:bfy ppr:lcq prp:gu
  pry:prt puz:pub sca:hle skk:oyb smd:kmb snb:iba szd:umi tdu:dtp thc:tpo thw:ola thx:oyb tie:ras tkk:twm tlw:weo
  tmk:tdg tmp:tyj tne:kak tnf:prs tpw:tpn tsf:taj uok:ema xba:cax xia:acn xkh:waw xrq:dmw xss:zko ybd:rki yma:lrr
  ymt:mtm yos:zom yuu:yug zir:scv zkb:kjh
  `,
)

const regions = pairs('bu:MM dd:DE fx:FR tp:TL yd:YE zr:CD')
const variants = pairs('heploc:alalc97')

/** The canonical form of a tag without what was withdrawn; undefined for what is not well formed. */
export const currentLanguage = (tag: string): string | undefined => {
  const canonical = canonicalLanguage(tags.get(tag.toLowerCase()) ?? tag)
  if (canonical === undefined) return undefined
  const [language = '', ...rest] = canonical.split('-')
  // What follows a singleton is an extension's, or agreed on in private.
  const end = rest.findIndex(part => part.length === 1)
  const current = rest.map((part, at) => {
    if (end >= 0 && at >= end) return part
    return (part.length === 2 ? regions.get(part.toLowerCase()) : variants.get(part)) ?? part
  })
  return canonicalLanguage([languages.get(language) ?? language, ...current].join('-'))
}
