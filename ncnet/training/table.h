// All items of a game in their order, with the same inputs in all networks.
//
// They are all rows of a truth table, inputs of +-1 in lexicographic order. So a unit's sums of
// weights times inputs come from each other: an input that flips moves them by twice its weight.
// They are taken BLOCK items at a time, in registers: in a block only the last BLOCK_BITS inputs
// differ.
//
// Set by the compiler's command line: FEATURES (the inputs and the constant of the bias, last) and
// ITEMS = 2^(FEATURES - 1).

#pragma once

#include "powers.h"

constexpr int BITS = FEATURES - 1, BLOCK_BITS = BITS < 3 ? BITS : 3;

namespace {

struct Table {
    static constexpr int COUNT = ITEMS, BLOCK = 1 << BLOCK_BITS;
    Target targets[2][ITEMS];  // of either head

    void take(const float *signs, int64_t at, int64_t networks) {
        for (int row = 0; row < 2 * ITEMS; row++)
            targets[row / ITEMS][row % ITEMS] = ::target(load(signs + row * networks + at), ITEMS);
    }

    const Target &target(int party, int item) const { return targets[party][item]; }

    // From the signals at a block's sums to the weights' slopes.
    void add_slopes(Vector signals[BLOCK], int block, Vector slopes[FEATURES]) const {
#pragma GCC unroll 3
        for (int bit = BLOCK_BITS - 1; bit >= 0; bit--) {
#pragma GCC unroll 4
            for (int i = 0; i < 1 << bit; i++) {
                const Vector low = signals[i], high = signals[(1 << bit) + i];
                slopes[BITS - 1 - bit] += high - low;
                signals[i] = low + high;
            }
        }
        for (int f = 0; f < BITS - BLOCK_BITS; f++)
            slopes[f] = is_negative(block, f) ? slopes[f] - signals[0] : slopes[f] + signals[0];
        slopes[BITS] += signals[0];
    }

#if defined(ACTIVATION_relu)
    void outputs(const Weight *weights, Vector *to) const {
        for (int block = 0; block < ITEMS / BLOCK; block++, to += BLOCK) {
            Vector sums[BLOCK];
            take_sums(weights, block, sums);
#pragma GCC unroll 8
            for (int i = 0; i < BLOCK; i++) to[i] = activation(sums[i]);
        }
    }
#else
    // A block takes one power and BLOCK - 1 multiplications.
    void outputs(const Weight *weights, Vector *to) const {
        Vector factors[BLOCK_BITS];
#pragma GCC unroll 3
        for (int bit = 0; bit < BLOCK_BITS; bit++) factors[bit] = factor(weights[BITS - 1 - bit]);
        for (int block = 0; block < ITEMS / BLOCK; block++) {
            Vector powers[BLOCK];
            powers[0] = power_of_two(exponent(first_sum(weights, block), STEEPNESS));
#pragma GCC unroll 3
            for (int bit = 0; bit < BLOCK_BITS; bit++)
#pragma GCC unroll 4
                for (int i = 0; i < 1 << bit; i++)
                    powers[(1 << bit) + i] = powers[i] * factors[bit];
#pragma GCC unroll 4
            for (int i = 0; i < BLOCK; i += 2) outputs_of(powers + i, to + block * BLOCK + i);
        }
        const Integers replaced = unsuited(weights);
        if (any(replaced)) replace_outputs(weights, to, replaced);
    }
#endif

private:
    // Of an input before the last BLOCK_BITS, the same in all items of a block.
    static bool is_negative(int block, int feature) {
        return !(block >> (BITS - BLOCK_BITS - 1 - feature) & 1);
    }

    // Of a block's first item, where its own inputs are all -1.
    static Vector first_sum(const Weight *weights, int block) {
        Vector sum = weights[BITS].value();
        for (int f = 0; f < BITS - BLOCK_BITS; f++)
            sum = is_negative(block, f) ? sum - weights[f].value() : sum + weights[f].value();
        for (int f = BITS - BLOCK_BITS; f < BITS; f++) sum -= weights[f].value();
        return sum;
    }

    // The input that changes fastest first.
    static void take_sums(const Weight *weights, int block, Vector sums[BLOCK]) {
        sums[0] = first_sum(weights, block);
#pragma GCC unroll 3
        for (int bit = 0; bit < BLOCK_BITS; bit++) {
            const Vector step = 2.0f * weights[BITS - 1 - bit].value();
#pragma GCC unroll 4
            for (int i = 0; i < 1 << bit; i++) sums[(1 << bit) + i] = sums[i] + step;
        }
    }

    __attribute__((noinline)) static void replace_outputs(const Weight *weights, Vector *outputs,
                                                          Integers replaced) {
        for (int block = 0; block < ITEMS / BLOCK; block++, outputs += BLOCK) {
            Vector sums[BLOCK];
            take_sums(weights, block, sums);
            for (int i = 0; i < BLOCK; i++)
                outputs[i] = replaced ? activation(sums[i]) : outputs[i];
        }
    }
};

}  // namespace
