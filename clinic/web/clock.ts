let aheadMs = 0

/** The clinic's time, unix ms: a wrong clock on this screen must not make values look old or fresh. */
export function now(): number {
    return Date.now() + aheadMs
}

export function setClock(clinicNow: number): void {
    aheadMs = clinicNow - Date.now()
}
