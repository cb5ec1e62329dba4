// Exit code 0 when the service in this container is alive; `ready` as an argument asks whether it may be sent requests.
const path = process.argv[2] === 'ready' ? '/health/ready' : '/health/live'
try {
  const answer = await fetch(`http://127.0.0.1:${process.env.PORT ?? 8080}${path}`, {
    signal: AbortSignal.timeout(4_000),
  })
  process.exitCode = answer.ok ? 0 : 1
} catch {
  process.exitCode = 1
}
