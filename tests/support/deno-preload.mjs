// tap knows the call sites of V8 by the name of their class, which Deno leaves out.
const kept = Error.prepareStackTrace
Error.prepareStackTrace = (_, sites) => sites
const [site] = new Error('any').stack
Error.prepareStackTrace = kept
class CallSite {}
Object.defineProperty(Object.getPrototypeOf(site), 'constructor', { value: CallSite, configurable: true })
