/** Draws at most once a frame, whatever calls for it. */

export class Redraw {
  private frame: number | null = null;

  constructor(private readonly draw: () => void) {}

  readonly want = (): void => {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  };

  stop(): void {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    this.frame = null;
  }
}
