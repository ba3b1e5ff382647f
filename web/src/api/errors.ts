/** What a refused or failed call says. */
export interface Problem {
  code: string;
  message: string;
  pointer?: string;
}

/** The server answered, and refused. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problems: readonly Problem[],
    readonly fingerprint: string | undefined,
    readonly call: string,
  ) {
    super(problems.map((problem) => problem.message).join("\n") || `${call}: ${status}`);
    this.name = "ApiError";
  }

  /** Whether one of its problems has this code. */
  has(code: string): boolean {
    return this.problems.some((problem) => problem.code === code);
  }
}

/** The server was not reached. */
export class NetworkError extends Error {
  constructor() {
    super("the server cannot be reached");
    this.name = "NetworkError";
  }
}

/** Whether asking again may help: nothing that the server refused gets better by itself. */
export function worthRetrying(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof ApiError && error.status >= 500);
}
