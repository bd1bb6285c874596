import { alarmKindOf, isTimeAlarm } from "../../wire/tables/alarm-kinds.ts"
import { quantities, unitText } from "../../wire/tables/quantities.ts"
import type { Alarm } from "./api.ts"
import { about, ago, duration, number, timeOfDay } from "./format.ts"
import { t } from "./texts/language.ts"
import { isAhead } from "./time.ts"

/** `Heart rate high 171 /min`, `Battery will not last the night: until 03:40` */
export function alarmText({ kind, unit, raisedValue }: Alarm): string {
    const label = t.alarms.kind(kind)
    if (raisedValue !== null && isTimeAlarm(alarmKindOf(kind)))
        return t.alarms.lastsUntil(label, timeOfDay(raisedValue * 1000, false))
    return raisedValue === null || unit === null ? label : `${label} ${valueText(kind, unit, raisedValue)}`
}

/** `171 /min` */
function valueText(kind: string, unit: string, value: number): string {
    return `${number(value, digitsOf(kind))} ${unitText(unit)}`.trim()
}

function digitsOf(kind: string): number {
    const { cause } = alarmKindOf(kind)
    if ("quantity" in cause) return quantities[cause.quantity].digits
    return cause.value === "count" ? 0 : 1
}

/** What it came to, and where it is now: `worst 190, now 174`. */
export function courseText({ kind, raisedValue, worstValue, presentValue }: Alarm): string {
    const digits = digitsOf(kind)
    const parts: string[] = []
    if (worstValue !== null && worstValue !== raisedValue) parts.push(t.alarms.worst(number(worstValue, digits)))
    if (presentValue !== null) parts.push(t.alarms.present(number(presentValue, digits)))
    return parts.join(", ")
}

/** How long it has lasted, or when it was over. */
export function timesText({ raisedAt, raisedAbout, clearedAt, clearedAbout, count }: Alarm, now: number): string {
    const often = count > 1 ? `, ${t.alarms.times(count)}` : ""
    if (clearedAt === null) {
        if (isAhead(raisedAt, now)) return t.vital.wrongTime(ago(raisedAt, now)) + often
        return t.alarms.lasting(about(raisedAbout, duration(now - raisedAt))) + often
    }
    const over = about(clearedAbout, ago(clearedAt, now))
    if (clearedAt < raisedAt) return t.alarms.over(over) + often
    return t.alarms.overLasted(over, about(raisedAbout, duration(clearedAt - raisedAt))) + often
}

/** Who attends to it, and until when. */
export function stateText({ state, acknowledgedBy, acknowledgedAt, until }: Alarm, now: number): string {
    const who = acknowledgedBy ?? "?"
    if (state === "paused" && until !== null) return t.alarms.pausedBy(who, timeOfDay(until, false))
    if (state === "acknowledged" && acknowledgedAt !== null) {
        const seen = t.alarms.acknowledgedBy(who, ago(acknowledgedAt, now))
        return until === null ? seen : t.alarms.until(seen, timeOfDay(until, false))
    }
    return t.alarms.notAcknowledged
}

/** Who has been told of it because nobody came, and who is next. */
export function escalationText({ escalatedTo, nextStep }: Alarm): string {
    const names = (receivers: readonly string[]) => receivers.map(t.alarms.receiver).join(", ")
    return [
        ...(escalatedTo.length > 0 ? [t.alarms.escalated(names(escalatedTo))] : []),
        ...(nextStep ? [t.alarms.nextStep(names(nextStep.tell), timeOfDay(nextStep.at, false))] : []),
    ].join("; ")
}
