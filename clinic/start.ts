export interface StartOptions {
    data: string
}
export interface RunningClinic {
    url: string
}
export async function startClinic(): Promise<void> {}
