export declare const WORDS: readonly string[];
export declare const HALF: number;
