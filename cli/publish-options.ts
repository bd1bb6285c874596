import { readFileSync } from "node:fs"
import type { Option } from "commander"
import {
    checkBroker,
    publicationPlan,
    publishedData,
    type PublicationFlags,
    type PublicationPlan,
} from "../clinic/index.ts"
import { complaints } from "../host/check.ts"
import { fileError } from "../host/errors.ts"
import { option } from "./options.ts"

export function publishOptions(): Option[] {
    return [
        option(
            "--publish <url>",
            "publish vital signs and alarms to this MQTT broker of the hospital: mqtts://user:password@host:port; better given as VITALMOTE_PUBLISH",
        ),
        option("--publish-ca <file>", "authority of the broker's certificate, PEM (default: this machine's)"),
        option("--publish-wards <names>", "of these wards, separated by commas; * for all"),
        option("--publish-data <names>", `these, separated by commas: ${publishedData}`),
        option("--publish-names", "with the patients' names, identifiers and beds, and not only with pseudonyms"),
        option("--publish-prefix <topic>", "first levels of the topics").default("vitalmote"),
        option("--publish-home-assistant", "let Home Assistant discover each patient as a device"),
    ]
}

/** Returns undefined if nothing is published. Throws UserError. */
export function publicationFrom(flags: PublicationFlags): PublicationPlan | undefined {
    const { publishCa } = flags
    return publicationPlan(flags, publishCa === undefined ? undefined : readText(publishCa))
}

/** What is wrong with the choice, or why the broker does not let the clinic in. */
export async function checkPublication(flags: PublicationFlags): Promise<string[]> {
    return await complaints(async () => {
        const plan = publicationFrom(flags)
        if (plan) await checkBroker(plan)
    })
}

function readText(file: string): string {
    try {
        return readFileSync(file, "utf8")
    } catch (error) {
        throw fileError(file, error)
    }
}
