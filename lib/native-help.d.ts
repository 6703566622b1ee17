/** Systems that a binary is published for, as the ends of the package names. */
export declare const published: readonly string[];
/** What is known about this system and installation. */
export interface System {
    readonly platform: string;
    readonly arch: string;
    /** Linux only. */
    readonly libc: 'gnu' | 'musl' | '';
    /** Whether this code still lies in a package named memmap, or was copied into a bundle. */
    readonly bundled: boolean;
    /** Ends of the names of the platform packages that are installed. */
    readonly installed: readonly string[];
    /** NAPI_RS_NATIVE_LIBRARY_PATH */
    readonly override: string | undefined;
}
/** Looks around; reads folders only, and never throws. */
export declare function inspectSystem(): System;
/** The help page. */
export declare function explain(system: System, cause: unknown): string;
