/** What is wrong with settings. */
import type { Environment } from '../../src/config/environment.ts'
import { ConfigError, loadConfig } from '../../src/config/load.ts'

/** One line a fault; none where they would do. */
export const faultsOf = (environment: Environment, cwd: string): readonly string[] => {
  try {
    loadConfig(environment, cwd)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}
