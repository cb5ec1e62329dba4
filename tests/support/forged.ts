/** A token, cookie or address with its last two characters changed: another one, whatever it ended with. */
export const forgedOf = (text: string): string => `${text.slice(0, -2)}${text.endsWith('AA') ? 'QQ' : 'AA'}`
