/** Autograd's own bookkeeping, on sizes alone: what a forward pass leaves for backward, and how full backward gets. */

interface Storage {
  bytes: number;
  /** Of a weight or a constant: counted elsewhere. */
  own: boolean;
  /** How many steps keep it. */
  kept: number;
  /** The first and the last step that it is there for. */
  born: number;
  used: number;
}

export interface Tensor {
  elements: number;
  /** Bytes of an element. */
  width: number;
  storage: Storage;
  grad: boolean;
  leaf: boolean;
  /** What autocast made of a trained weight: one copy for the whole forward pass. */
  copy: Tensor | null;
}

interface Step {
  inputs: Tensor[];
  output: Tensor;
  kept: Storage[];
  /** Backward hands the output's gradient on as it is: no new memory. */
  passes: boolean;
  /** Bytes that backward of it holds for itself while it runs. */
  workspace: number;
}

interface Cost {
  /** Backward hands the output's gradient on as it is. */
  passes?: boolean;
  /** Bytes held for itself while it runs, forward and backward. */
  forward?: number;
  backward?: number;
}

/** The gradient of a tensor in backward; several may share one allocation. */
interface Allocation {
  bytes: number;
  users: number;
}

export class Tape {
  /** Bytes that autograd keeps so far. */
  kept = 0;
  /** Of these, bytes that a checkpoint does not let go of. */
  escaped = 0;
  private readonly escapees = new Set<Storage>();
  private steps: Step[] = [];
  /** All that was made, with and without a gradient, and what each moment of forward held for itself. */
  private made: Storage[] = [];
  private spaces: number[] = [];

  tensor(elements: number, width: number, grad: boolean): Tensor {
    const storage = { bytes: elements * width, own: false, kept: 0, born: -1, used: -1 };
    return { elements, width, storage, grad, leaf: false, copy: null };
  }

  /** A weight, or a constant that is there anyway. */
  weight(elements: number, width: number, trains: boolean): Tensor {
    return { ...this.tensor(elements, width, trains), storage: { bytes: 0, own: true, kept: 0, born: -1, used: -1 }, leaf: true };
  }

  /** Writes down an operation: its output, what backward needs of it, and what it costs besides. */
  step(inputs: Tensor[], output: Tensor, keeps: Tensor[], cost: Cost = {}): Tensor {
    const { passes = false, forward = 0, backward = 0 } = cost;
    output.grad = inputs.some((input) => input.grad);
    for (const { storage } of [...inputs, output, ...keeps]) this.use(storage, this.spaces.length);
    this.spaces.push(forward);
    if (!output.grad) return output;
    const kept = keeps.map((tensor) => tensor.storage).filter((storage) => !storage.own);
    for (const storage of kept) {
      if (storage.kept === 0) this.kept += storage.bytes;
      storage.kept += 1;
    }
    this.steps.push({ inputs: inputs.filter((input) => input.grad), output, kept, passes, workspace: backward });
    return output;
  }

  private use(storage: Storage, moment: number) {
    if (storage.born < 0 && !storage.own) {
      storage.born = moment;
      this.made.push(storage);
    }
    storage.used = moment;
  }

  /** Says that somebody still refers to a tensor: the caller of a module to its input. */
  refer(tensor: Tensor) {
    this.use(tensor.storage, Math.max(0, this.spaces.length - 1));
  }

  /** Says that a step keeps a tensor where the hooks of a checkpoint do not see it. */
  escape({ storage }: Tensor) {
    if (storage.own || this.escapees.has(storage)) return;
    this.escapees.add(storage);
    this.escaped += storage.bytes;
  }

  /** The most that is alive at once while forward runs, beyond what was there before this tape. To be asked before `backward`. */
  forward(): number {
    const change = new Array<number>(this.spaces.length + 1).fill(0);
    for (const { bytes, born, used, kept } of this.made) {
      change[born] = (change[born] ?? 0) + bytes;
      if (kept === 0) change[used + 1] = (change[used + 1] ?? 0) - bytes;
    }
    let live = 0;
    return this.spaces.reduce((most, space, moment) => {
      live += change[moment] ?? 0;
      return Math.max(most, live + space);
    }, 0);
  }

  /** The same bytes under another name or a part of them; backward of a part fills a whole. */
  view(input: Tensor, elements: number): Tensor {
    const output = { ...input, elements, leaf: false, copy: null };
    return this.step([input], output, [], { passes: elements === input.elements });
  }

  /** A tensor of another dtype; the same where it has it. */
  cast(input: Tensor, width: number): Tensor {
    if (input.width === width) return input;
    return this.step([input], this.tensor(input.elements, width, false), []);
  }

  /** What autocast does: trained weights are cast once, everything else each time. */
  autocast(input: Tensor, width: number | null): Tensor {
    if (width === null || input.width === width) return input;
    if (!(input.leaf && input.grad && input.width === 4)) return this.cast(input, width);
    input.copy ??= this.cast(input, width);
    return input.copy;
  }

  /** Elementwise without anything to remember: sums, differences, scalars, concatenation, copies. */
  plain(inputs: Tensor[], elements = largest(inputs)): Tensor {
    const width = Math.max(...inputs.map((input) => input.width));
    return this.step(inputs, this.tensor(elements, width, false), []);
  }

  add(a: Tensor, b: Tensor): Tensor {
    const output = this.tensor(Math.max(a.elements, b.elements), Math.max(a.width, b.width), false);
    return this.step([a, b], output, [], { passes: a.width === b.width && a.elements === b.elements });
  }

  /** Each factor is kept for the other's gradient. */
  multiply(a: Tensor, b: Tensor): Tensor {
    const output = this.tensor(Math.max(a.elements, b.elements), Math.max(a.width, b.width), false);
    return this.step([a, b], output, [...(b.grad ? [a] : []), ...(a.grad ? [b] : [])]);
  }

  /** An elementwise function that keeps its input (silu, gelu, pow) or what came out (rsqrt, tanh, sigmoid, relu). */
  apply(input: Tensor, keeps: 'input' | 'output', elements = input.elements): Tensor {
    const output = this.tensor(elements, input.width, false);
    return this.step([input], output, [keeps === 'input' ? input : output]);
  }

  /** x W^T: the input is kept for a trained weight's gradient, the weight for the input's. */
  linear(x: Tensor, weight: Tensor, outputs: number, autocast: number | null): Tensor {
    const input = this.autocast(x, autocast);
    const matrix = this.autocast(weight, autocast);
    const keeps = [...(matrix.grad ? [input] : []), ...(input.grad ? [matrix] : [])];
    return this.step([input, matrix], this.tensor(outputs, input.width, false), keeps);
  }

  /**
   * The most that is alive at once while backward runs from `output`, beyond what was there before this tape: gradients of
   * activations and what is still kept; gradients of weights, which stay, do not count.
   */
  backward(output: Tensor): number {
    let live = this.kept;
    const gradients = new Map<Tensor, Allocation>();
    const first: Allocation = { bytes: output.elements * output.width, users: 1 };
    gradients.set(output, first);
    live += first.bytes;
    let peak = live;
    const release = (allocation: Allocation) => {
      allocation.users -= 1;
      if (allocation.users === 0) live -= allocation.bytes;
    };
    for (const step of this.steps.toReversed()) {
      const flowing = gradients.get(step.output);
      gradients.delete(step.output);
      let full = step.workspace;
      for (const input of flowing ? step.inputs : []) {
        const arriving = step.passes && flowing ? flowing : { bytes: input.elements * input.width, users: 0 };
        if (arriving.users === 0) live += arriving.bytes;
        arriving.users += 1;
        if (input.leaf) {
          full += arriving.users === 1 ? arriving.bytes : 0;
          release(arriving);
          continue;
        }
        const waiting = gradients.get(input);
        if (waiting && waiting.users > 1) {
          // It is somebody else's, too: the sum is written beside it.
          const sum = { bytes: waiting.bytes, users: 1 };
          live += sum.bytes;
          peak = Math.max(peak, live + full);
          release(waiting);
          release(arriving);
          gradients.set(input, sum);
        } else if (waiting) {
          peak = Math.max(peak, live + full);
          release(arriving);
        } else {
          gradients.set(input, arriving);
        }
      }
      peak = Math.max(peak, live + full);
      if (flowing) release(flowing);
      for (const storage of step.kept) {
        storage.kept -= 1;
        if (storage.kept === 0) live -= storage.bytes;
      }
    }
    return peak;
  }
}

function largest(tensors: Tensor[]): number {
  return Math.max(...tensors.map((tensor) => tensor.elements));
}
