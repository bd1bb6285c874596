/** The log of a host part. It has the shape of a pino logger. Never log secrets or vitals. */
export interface Log {
    debug(fields: object, message: string): void
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
    error(fields: object, message: string): void
}

const nothing = () => {}

/** A log that discards everything, for tests and simulations. */
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
