export function load(source: string): Promise<unknown>
export function compiledFile(source: string): Promise<string>
export function compiled(name: string, entries: string[]): Promise<string>
