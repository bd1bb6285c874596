import { de } from "./de.ts"
import { en } from "./en.ts"

/** What there is to say, in any language. */
export type Texts = typeof en

export const languages = { en, de } satisfies Record<string, Texts>
export type Language = keyof typeof languages

/** The chosen language; `t` are its texts. Whoever keeps a text of it keeps it in the old language. */
export let language: Language = "en"
export let t: Texts = en

/** The reader's own variants of languages, the best first, as in `navigator.languages`. */
let variants: readonly string[] = []

export function setLanguage(chosen: Language, preferred: readonly string[] = []): void {
    language = chosen
    variants = preferred
    t = languages[chosen]
}

/** The first of these (BCP 47, as in `navigator.languages`) that there are texts in. */
export function languageOf(wanted: readonly string[]): Language {
    for (const tag of wanted) {
        const [primary] = tag.toLowerCase().split("-")
        if (isLanguage(primary)) return primary
    }
    return "en"
}

export function isLanguage(name: string | null | undefined): name is Language {
    return name !== null && name !== undefined && Object.hasOwn(languages, name)
}

/** For numbers and dates: the reader's own variant of the language, where the browser tells. */
export function locale(): string {
    const own = variants.find(tag => tag.toLowerCase().split("-")[0] === language)
    return own ?? { en: "en-GB", de: "de-DE" }[language]
}
