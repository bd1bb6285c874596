import { createHash } from "node:crypto"
import { UserError } from "../../host/errors.ts"
import { alarmKindOf, isTimeAlarm } from "../../wire/tables/alarm-kinds.ts"
import { unitText } from "../../wire/tables/quantities.ts"
import type { Channel } from "./channel.ts"
import { isRole } from "../people/permissions.ts"
import { zoned } from "../time-zone.ts"
import { Email } from "./email.ts"
import { Hl7 } from "./hl7/hl7.ts"
import type { Notice } from "./notice.ts"
import type { Route } from "./outbox.ts"
import { Webhook } from "./webhook.ts"

export const routeForm =
    "[NAME=][SECONDS:]https://HOST/PATH, smtp://HOST?from=ADDRESS&to=ADDRESS, or mllp://HOST:PORT; smtps and mllps with TLS"
const longestWaitS = 3600
const fewestSecretBytes = 32
const sender = {
    application: "VITALMOTE",
    facility: "WARD",
    receivingApplication: "ALARM MANAGER",
    receivingFacility: "HOSPITAL",
}

/**
 * A way to tell people, as an operator writes it. NAME: for the rules of a ward. SECONDS: only where nobody has acknowledged after so
 * long.
 * @param secret of the webhook
 * @throws UserError
 */
export function parseRoute(text: string, secret: string | undefined, now: () => number): Route {
    const [, ownName, seconds, address = ""] = /^(?:([A-Za-z][\w .-]{0,39})=)?(?:(\d{1,5}):)?(.*)$/.exec(text) ?? []
    const afterS = Number(seconds ?? 0)
    if (afterS > longestWaitS) throw new UserError(`--notify: ${longestWaitS} seconds at most`, 2)
    const url = URL.canParse(address) ? new URL(address) : undefined
    const channel = url && channelOf(url, secret, now)
    if (!url || !channel) throw new UserError(`--notify: expected ${routeForm}`, 2)
    const digest = createHash("sha256").update(text).digest("hex").slice(0, 8)
    const name = ownName ?? `${url.protocol}//${url.host} ${digest}`
    if (isRole(name)) throw new UserError(`--notify: ${name} is a role, not a channel`, 2)
    return { name, channel, afterMs: afterS * 1000 }
}

function channelOf(url: URL, secret: string | undefined, now: () => number): Channel | undefined {
    const { hostname, port, searchParams } = url
    if (url.protocol === "https:" || url.protocol === "http:") {
        if (secret === undefined || Buffer.byteLength(secret) < fewestSecretBytes)
            throw new UserError(`--notify: VITALMOTE_WEBHOOK_SECRET has to have ${fewestSecretBytes} bytes at least`, 2)
        return new Webhook({ url: url.href, secret: Buffer.from(secret), now })
    }
    if (url.protocol === "smtp:" || url.protocol === "smtps:") {
        const [from, to] = [searchParams.get("from"), searchParams.get("to")]
        if (!from || !to) return undefined
        url.search = ""
        return new Email({ url: url.href, from, to, write })
    }
    if ((url.protocol === "mllp:" || url.protocol === "mllps:") && hostname && port)
        return new Hl7({ host: hostname, port: Number(port), ...(url.protocol === "mllps:" && { tls: {} }) }, sender)
    return undefined
}

/** E-mail leaves the house: the bed, not the name. */
export function write(notice: Notice): { subject: string; text: string } {
    const { alarm, phase, timeZone, url } = notice
    const what = `${placeOf(notice)}: ${alarmKindOf(alarm.kind).label}${valueOf(notice)}`
    const subject = phase === "end" ? `Over: ${what}` : what
    const seen = alarm.by === null ? "Nobody has acknowledged it." : `Acknowledged by ${alarm.by}.`
    const text = [
        `${subject}.`,
        `Priority ${alarm.priority}, since ${zoned(alarm.raisedAt, timeZone)}.`,
        phase === "end" ? "" : seen,
        url,
    ]
    return { subject, text: text.filter(Boolean).join("\n") }
}

function placeOf({ patient, subject: { about, name } }: Notice): string {
    if (patient) return patient.bed ? `Bed ${patient.bed}` : "A patient without a bed"
    const kind = named[about]
    return kind === undefined ? "The clinic" : `${kind} ${name}`
}

/** What an alarm may be about that has a name of its own. */
const named: Partial<Record<string, string>> = { router: "Router", channel: "Channel" }

function valueOf({ alarm: { kind, unit, value }, timeZone }: Notice): string {
    if (value === null || unit === null) return ""
    if (isTimeAlarm(alarmKindOf(kind))) return `: until ${zoned(value * 1000, timeZone)}`
    return ` ${value} ${unitText(unit)}`.trimEnd()
}
