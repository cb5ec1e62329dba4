// Exit code 0 when the service in this container is alive; `ready` as an argument asks whether it may be sent requests.
const path = process.argv[2] === 'ready' ? '/health/ready' : '/health/live'
// Kubernetes calls an address LEXICHRON_PORT where a service is named lexichron.
const { LEXICHRON_PORT, PORT } = process.env
const port = [LEXICHRON_PORT, PORT].find(text => /^\d+$/.test(text ?? '')) ?? '8080'
try {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    signal: AbortSignal.timeout(4_000),
  })
  process.exitCode = answer.ok ? 0 : 1
} catch {
  process.exitCode = 1
}
