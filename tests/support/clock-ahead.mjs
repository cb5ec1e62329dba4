/** Loaded before a program (`--import`): its clock is ahead by CLOCK_AHEAD_MS. */
const ahead = Number(process.env['CLOCK_AHEAD_MS'])
const RealDate = Date
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length > 0) super(...given)
    else super(RealDate.now() + ahead)
  }
  static now() {
    return RealDate.now() + ahead
  }
}
