/** The ward's time zone (IANA); until the clinic has said it, that of the browser. */
export let timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone

export function setTimeZone(zone: string): void {
    timeZone = zone
}
