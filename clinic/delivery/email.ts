import { createTransport, type Transporter } from "nodemailer"
import { DeliveryError, deliveryError, type Channel } from "./channel.ts"
import type { Notice } from "./notice.ts"

export interface EmailOptions {
    /** `smtp://` (STARTTLS where the server offers it) or `smtps://`, with user and password where the server wants them. */
    url: string
    from: string
    to: string
    /** Certificate authorities of the server, PEM; the system's where there are none. */
    ca?: string
    /** The words of a notice, in the language of the ward. */
    write: (notice: Notice) => { subject: string; text: string }
}

const timeoutMs = 10_000

/** Sends a notice by SMTP. E-mail leaves the house, so the words should name the bed, not the patient. */
export class Email implements Channel {
    private readonly options: EmailOptions
    private readonly transport: Transporter

    constructor(options: EmailOptions) {
        this.options = options
        const { url, ca } = options
        this.transport = createTransport({
            url,
            connectionTimeout: timeoutMs,
            greetingTimeout: timeoutMs,
            socketTimeout: timeoutMs,
            disableFileAccess: true,
            disableUrlAccess: true,
            ...(ca !== undefined && { tls: { ca } }),
        })
    }

    async deliver(notice: Notice, signal: AbortSignal): Promise<void> {
        const { from, to, write } = this.options
        const { subject, text } = write(notice)
        const messageId = `<${notice.id}@vitalmote>`
        const headers = notice.alarm.priority === "high" ? { Importance: "high" } : {}
        try {
            await Promise.race([
                this.transport.sendMail({ from, to, subject, text, messageId, headers }),
                aborted(signal),
            ])
        } catch (error) {
            const { responseCode, response } = error as { responseCode?: number; response?: string }
            if (responseCode !== undefined && responseCode >= 500)
                throw new DeliveryError("rejected", response ?? `SMTP ${responseCode}`)
            throw deliveryError(error, signal)
        }
    }
}

async function aborted(signal: AbortSignal): Promise<never> {
    return await new Promise((_, reject) => {
        if (signal.aborted) reject(new DeliveryError("timeout"))
        signal.addEventListener("abort", () => reject(new DeliveryError("timeout")), { once: true })
    })
}
