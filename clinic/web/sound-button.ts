import { h, setData, setText } from "../../browser/dom.ts"
import { icon } from "./icon.ts"
import { Sound, type SoundState } from "./sound.ts"
import { t } from "./texts/language.ts"

/** Starts the sound at the beginning of a shift, with a test tone; while the page cannot sound it says so in red. */
export class SoundButton {
    readonly element = h("button", { class: "sound", type: "button" })
    private readonly text = h("span")
    private readonly sound = new Sound(state => this.say(state))

    /** @param pressed is called within the click: what a browser asks its user about is asked then */
    constructor(pressed: () => void) {
        this.element.append(icon("soundOff"), icon("soundOn"), this.text)
        this.element.addEventListener("click", () => {
            void this.sound.start()
            pressed()
        })
        this.say(this.sound.state)
    }

    /** Takes the priorities of what nobody has attended to. */
    show(priorities: Parameters<Sound["show"]>[0]): void {
        this.sound.show(priorities)
    }

    /** In the language of now. */
    translate(): void {
        this.say(this.sound.state)
    }

    close(): void {
        this.sound.close()
    }

    private say(state: SoundState): void {
        setData(this.element, "state", state)
        setText(this.text, t.sound[state])
    }
}
