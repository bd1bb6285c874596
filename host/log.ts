/** Where a host part writes what it does; pino's shape, so a pino logger is one. Secrets and vitals never go in. */
export interface Log {
    debug(fields: object, message: string): void
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
    error(fields: object, message: string): void
}

const nothing = () => {}

/** For tests and simulations that nobody reads along. */
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
