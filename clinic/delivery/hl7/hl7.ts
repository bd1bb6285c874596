import { DeliveryError, deliveryError, type Channel } from "../channel.ts"
import type { Notice } from "../notice.ts"
import { alarmMessage, type Sender } from "./alarm-message.ts"
import { acceptanceIn, acknowledgement, isAlarmStatus } from "./alarm-status.ts"
import { exchange, type MllpAddress } from "./mllp.ts"
import { fieldsOf } from "./segment.ts"

/** Acceptance in original and enhanced mode (HL7 2.6 table 0008). */
const accepted = ["AA", "CA"]

/** Sends a notice as ORU^R40 over MLLP; told is what the receiver has acknowledged with the message's own control id. */
export class Hl7 implements Channel {
    private readonly address: MllpAddress
    private readonly sender: Sender
    onAccepted: Channel["onAccepted"]

    constructor(address: MllpAddress, sender: Sender) {
        this.address = address
        this.sender = sender
    }

    async deliver(notice: Notice, signal: AbortSignal): Promise<void> {
        const { onAccepted } = this
        const heard =
            onAccepted &&
            (async (message: string) => {
                const status = acceptanceIn(message)
                if (status) await onAccepted(status.alarm, status.by)
                return acknowledgement(message, isAlarmStatus(message) ? "AA" : "AR")
            })
        try {
            const answer = await exchange(this.address, alarmMessage(notice, this.sender), signal, heard)
            const [code, id, text] = fieldsOf(answer, "MSA") ?? []
            if (code === undefined) throw new DeliveryError("malformed-answer", "no MSA segment")
            if (id !== notice.id) throw new DeliveryError("malformed-answer", "acknowledges another message")
            if (!accepted.includes(code)) throw new DeliveryError("rejected", `${code} ${text ?? ""}`.trim())
        } catch (error) {
            throw deliveryError(error, signal)
        }
    }
}
