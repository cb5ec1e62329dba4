/** A token, cookie or address with its last two characters changed: another one, whatever it ended with. */
export const forgedOf = (text: string): string => `${text.slice(0, -2)}${text.endsWith('AA') ? 'QQ' : 'AA'}`

/** The id of nothing, made from one of something: its last four digits are other ones. */
export const otherIdOf = (id: string): string => `${id.slice(0, -4)}${id.endsWith('0000') ? '1111' : '0000'}`
