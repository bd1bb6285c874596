/*
 * What complains when a part of the system fails. docs/alarms.md derives from this table, and a test causes each failure
 * and looks for its complaint: test/e2e/fail-loud.test.ts.
 */

export interface Failure {
    /** What happens to it, for the documentation. */
    readonly fails: string
    /** What people see or hear, for the documentation. */
    readonly complains: string
    /** The longest that it takes, with a mote's default settings. */
    readonly withinS: number
    readonly note?: string
}

export const failures = {
    mote: {
        fails: "a mote, or its way to the router",
        complains: "alarm `mote-silent`",
        withinS: 35,
        note: "`report` or `sample` plus 20 s, and a look every second",
    },
    router: { fails: "a router", complains: "alarm `router-silent`, high priority", withinS: 30 },
    "router-network": {
        fails: "the network between a router and the clinic",
        complains: "alarm `router-silent`, high priority",
        withinS: 30,
    },
    "clinic-killed": {
        fails: "the clinic's process",
        complains: "each page says in red that it is cut off, and sounds with medium priority",
        withinS: 10,
    },
    "clinic-frozen": { fails: "the clinic, which hangs", complains: "the same", withinS: 10 },
    "page-network": { fails: "the network between a page and the clinic", complains: "the same", withinS: 10 },
    "disk-full": {
        fails: "the database's disk, which is full",
        complains: "each page says so in red, and sounds with medium priority",
        withinS: 10,
    },
    "disk-failed": { fails: "the database's disk, which does not work", complains: "the same", withinS: 10 },
    sound: { fails: "the page's sound", complains: "the page says so in red", withinS: 10 },
    tab: {
        fails: "the page, which is closed or hangs",
        complains: "nothing of its own: the escalation tells somebody else of an alarm",
        withinS: 10,
        note: "with `--notify 5:…`; as many seconds as are set, and a look every second",
    },
    channel: { fails: "a channel of `--notify`", complains: "alarm `channel-failed`", withinS: 75 },
} as const satisfies Record<string, Failure>

export type FailureName = keyof typeof failures
