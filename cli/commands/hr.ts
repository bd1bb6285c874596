import { Command } from "commander"
import { recordingFile } from "../../sim/body/index.ts"
import { estimate } from "../../sim/estimate.ts"
import { option, positive } from "../options.ts"

export const hrCommand = new Command("hr")
    .description(
        "run the firmware's heart-rate estimator, as bytecode in the VM, over a recording; one JSON line per window",
    )
    .argument("<file>", "recording, CSV with one column of raw PPG")
    .addOption(option("--fs <hz>", "its sampling rate").argParser(positive).makeOptionMandatory())
    .action(async (file: string, { fs }: { fs: number }) => {
        const recording = recordingFile(file, fs)
        await estimate(recording, recording.durationS, line => console.log(JSON.stringify(line)))
    })
