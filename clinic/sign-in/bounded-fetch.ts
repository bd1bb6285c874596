import { rootCertificates } from "node:tls"
import type { CustomFetch } from "openid-client"
import { Agent, fetch, type RequestInit } from "undici"

/** Discovery documents and key sets of large providers have some 20 kB. */
const maxBytes = 256 * 1024

/** No whole answer came, whatever the reason. */
export class Unreachable extends Error {}

/**
 * What asks the provider: answers of bounded size, no redirects followed.
 * @param ca PEM of an authority that is trusted beside the usual ones
 */
export function boundedFetch(ca: string | undefined): CustomFetch {
    const dispatcher = new Agent({
        connect: ca === undefined ? {} : { ca: [...rootCertificates, ca] },
    })
    return async (url, options) => {
        try {
            const answer = await fetch(url, { ...options, dispatcher } as RequestInit)
            const pieces: Uint8Array[] = []
            let bytes = 0
            for await (const piece of answer.body ?? []) {
                bytes += piece.length
                if (bytes > maxBytes) throw new Error(`more than ${maxBytes} bytes`)
                pieces.push(piece)
            }
            const hasBody = ![204, 304].includes(answer.status)
            const headers = [...answer.headers].filter(([name]) => name !== "content-encoding")
            return new Response(hasBody ? Buffer.concat(pieces) : null, { status: answer.status, headers })
        } catch (error) {
            const { message, cause } = error as Error
            const reason = cause instanceof Error ? cause.message : message
            throw new Unreachable(`${new URL(url).origin}: ${reason}`, { cause: error })
        }
    }
}
