import { h } from "../../browser/dom.ts"
import { keep, kept } from "./kept.ts"
import { isLanguage, language, languageOf, languages, setLanguage, t } from "./texts/language.ts"

const key = "language"

/** The language of this browser's users: the last one that was chosen here, or what the browser asks for. */
export function loadLanguage(): void {
    const chosen = kept(key)
    setLanguage(isLanguage(chosen) ? chosen : languageOf(navigator.languages), navigator.languages)
    document.documentElement.lang = language
}

/** A choice of languages, each in its own words; `chosen` draws everything anew. */
export function languageChoice(chosen: () => void): HTMLElement {
    const select = h("select", { class: "language", "aria-label": t.shell.language })
    for (const [code, { name }] of Object.entries(languages)) {
        const option = h("option", { value: code, lang: code }, name)
        option.selected = code === language
        select.append(option)
    }
    select.addEventListener("change", () => {
        if (!isLanguage(select.value)) return
        keep(key, select.value)
        loadLanguage()
        chosen()
    })
    return select
}
