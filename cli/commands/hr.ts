import { Command } from "commander"
import { recordingBody, recordingSeconds } from "../../sim/body/index.ts"
import { estimate } from "../../sim/estimate.ts"
import { option, positive } from "../options.ts"
import { readRecording } from "../wearer.ts"

export const hrCommand = new Command("hr")
    .description(
        "run the firmware's heart-rate estimator, as bytecode in the VM, over a recording; one JSON line per window",
    )
    .argument("<file>", "recording, CSV with one column of raw PPG")
    .addOption(option("--fs <hz>", "its sampling rate").argParser(positive).makeOptionMandatory())
    .action(async (file: string, { fs }: { fs: number }) => {
        const csv = readRecording(file)
        const body = recordingBody(csv, fs, { name: file })
        await estimate(body, recordingSeconds(csv, fs), line => console.log(JSON.stringify(line)))
    })
