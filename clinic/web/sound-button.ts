import { h, setData, setText } from "../../browser/dom.ts"
import { Sound, type SoundState } from "./sound.ts"
import type { Priority } from "./tones.ts"

const words: Record<SoundState, string> = {
    off: "🔇 No sound: start",
    blocked: "🔇 Sound blocked: start again",
    on: "🔊 Sound on: test",
}

/** Starts the sound at the beginning of a shift, with a test tone; while the page cannot sound it says so in red. */
export class SoundButton {
    readonly element = h("button", { class: "sound", type: "button" })
    private readonly sound = new Sound(state => this.say(state))

    constructor() {
        this.element.addEventListener("click", () => void this.sound.start())
        this.say(this.sound.state)
    }

    /** Takes the priorities of what nobody has attended to. */
    show(priorities: Priority[]): void {
        this.sound.show(priorities)
    }

    close(): void {
        this.sound.close()
    }

    private say(state: SoundState): void {
        setData(this.element, "state", state)
        setText(this.element, words[state])
    }
}
