// Draws the items that each step shows to a vector of networks, and flips their labels: the numbers
// of streams.py.
//
// Set by the compiler's command line: FEATURES, ITEMS = 2^(FEATURES - 1), all rows of a truth table;
// BATCH, the items of a step, unless it takes all of them in their order; and LABEL_NOISE, if any.

#pragma once

#include "powers.h"
#include "threefry.h"

#if defined(BATCH)
constexpr int SHOWN = BATCH;
#else
constexpr int SHOWN = ITEMS;
#endif

namespace {

// The sorting network of Batcher, odd-even mergesort (Knuth, The Art of Computer Programming 3,
// algorithm 5.2.2M): runs of MERGED values are sorted, and are made twice as long. Its bounds are
// known to the compiler, so that few values stay in registers.
template <int MERGED, int APART>
inline void exchange(Unsigned *values) {
    for (int start = APART % MERGED; start + APART < ITEMS; start += 2 * APART)
        for (int i = start; i < start + APART && i + APART < ITEMS; i++) {
            if (i / (2 * MERGED) != (i + APART) / (2 * MERGED)) continue;
            const Unsigned one = values[i], other = values[i + APART];
            values[i] = one < other ? one : other;
            values[i + APART] = one < other ? other : one;
        }
}

template <int MERGED = 1, int APART = MERGED>
inline void sort(Unsigned *values) {
    if constexpr (MERGED < ITEMS) {
        exchange<MERGED, APART>(values);
        if constexpr (APART > 1)
            sort<MERGED, APART / 2>(values);
        else
            sort<2 * MERGED>(values);
    }
}

constexpr uint32_t ONE = 0x3F800000u, MINUS = 0x80000000u;  // the bits of 1.0f and of its sign

// The classes of all items for either head, a bit for each: 1 for class 0.
class Classes {
    static constexpr int WORDS = (ITEMS + 31) / 32;
    Unsigned words[2][WORDS];

public:
    Classes(const float *signs, int64_t at, int64_t networks) : words{} {
        for (int party = 0; party < 2; party++)
            for (int item = 0; item < ITEMS; item++, at += networks)
                words[party][item / 32] |= (Unsigned)(load(signs + at) < 0.0f) & 1u << item % 32;
    }

    // The highest bit is set where an item is of class 0.
    Unsigned minus(int party, Unsigned item) const {
        Unsigned word = words[party][0];
        if (WORDS > 1)
            for (int lane = 0; lane < LANES; lane++)
                word[lane] = words[party][item[lane] / 32][lane];
        return word >> (ITEMS > 32 ? item % 32 : item) << 31;
    }
};

// What a step shows: SHOWN items, their inputs, and the signs of their labels for either head.
struct Shown {
    static constexpr int COUNT = SHOWN, BLOCK = SHOWN % 8 == 0 ? 8 : SHOWN % 2 == 0 ? 2 : 1;
    Unsigned items[SHOWN];
    Unsigned flips[2][SHOWN];  // of the highest bit
    Vector inputs[SHOWN][FEATURES];
    Vector signs[2][SHOWN];

    Target target(int party, int place) const { return ::target(signs[party][place], SHOWN); }

    Vector sum(const Weight *weights, int place) const {
        Vector found = weights[FEATURES - 1].value();
        for (int f = 0; f < FEATURES - 1; f++) found += weights[f].value() * inputs[place][f];
        return found;
    }

#if defined(ACTIVATION_relu)
    void outputs(const Weight *weights, Vector *to) const {
        for (int place = 0; place < SHOWN; place++) to[place] = activation(sum(weights, place));
    }
#else
    // As a truth table's: an item's power is that of the item whose inputs are all -1, times a
    // factor for each input that is 1.
    void outputs(const Weight *weights, Vector *to) const {
        Vector lowest = weights[FEATURES - 1].value(), factors[FEATURES];
        for (int f = 0; f < FEATURES - 1; f++) {
            factors[f] = factor(weights[f]);
            lowest -= weights[f].value();
        }
        lowest = power_of_two(exponent(lowest, STEEPNESS));
        for (int place = 0; place < SHOWN; place += 2) {
            Vector powers[2] = {lowest, lowest};
            for (int next = 0; next < 2 && place + next < SHOWN; next++)
                for (int f = 0; f < FEATURES - 1; f++) {
                    const Vector higher = powers[next] * factors[f];
                    powers[next] = inputs[place + next][f] > 0.0f ? higher : powers[next];
                }
            if (place + 1 < SHOWN)
                outputs_of(powers, to + place);
            else
                to[place] = output_of(RANGE / (1.0f + powers[0]));
        }
        const Integers replaced = unsuited(weights);
        if (any(replaced)) replace_outputs(weights, to, replaced);
    }

    __attribute__((noinline)) void replace_outputs(const Weight *weights, Vector *outputs,
                                                   Integers replaced) const {
        for (int place = 0; place < SHOWN; place++)
            outputs[place] = replaced ? activation(sum(weights, place)) : outputs[place];
    }
#endif

    void add_slopes(const Vector signals[BLOCK], int block, Vector slopes[FEATURES]) const {
#pragma GCC unroll 8
        for (int i = 0; i < BLOCK; i++)
            for (int f = 0; f < FEATURES; f++)
                slopes[f] += signals[i] * inputs[block * BLOCK + i][f];
    }

    void label(const Classes &classes) {
        for (int party = 0; party < 2; party++)
            for (int place = 0; place < SHOWN; place++) {
                Unsigned minus = classes.minus(party, items[place]);
#if defined(LABEL_NOISE)
                minus ^= flips[party][place];
#endif
                signs[party][place] = (Vector)(minus | ONE);
            }
    }
};

class Stream {
    static constexpr uint32_t LOWEST = ITEMS - 1;
    const Key orders, flips;
    Unsigned order[ITEMS];
    uint32_t epoch, step;
    int place;

    void shuffle() {
        for (uint32_t item = 0; item < ITEMS; item += 2) {
            const Key drawn = threefry(orders, item / 2, epoch);
            order[item] = (drawn.first & ~LOWEST) | item;
            order[item + 1] = (drawn.second & ~LOWEST) | (item + 1);
        }
        sort(order);
    }

    Unsigned next_item() {
        if (place == ITEMS) {
            place = 0;
            epoch++;
            shuffle();
        }
        return order[place++] & LOWEST;
    }

public:
    // Keys are those of the orders and of the flips, [2][2][networks].
    Stream(const uint32_t *keys, int64_t at, int64_t networks, int64_t steps_done)
        : orders{load(keys + at), load(keys + networks + at)},
          flips{load(keys + 2 * networks + at), load(keys + 3 * networks + at)},
          epoch((uint32_t)(steps_done * SHOWN / ITEMS)),
          step((uint32_t)steps_done),
          place((int)(steps_done * SHOWN % ITEMS)) {
        shuffle();
    }

    // Draws all of the next step but its labels.
    void show(Shown &shown, uint32_t threshold) {
        for (int place = 0; place < SHOWN; place++) {
#if defined(BATCH)
            const Unsigned item = next_item();
#else
            const Unsigned item = (uint32_t)place - Unsigned{};
#endif
            shown.items[place] = item;
            for (int feature = 0; feature < FEATURES - 1; feature++) {
                // The first feature is the highest bit of the row of the truth table.
                const Unsigned minus = ~item << (33 - FEATURES + feature) & MINUS;
                shown.inputs[place][feature] = (Vector)(minus | ONE);
            }
            shown.inputs[place][FEATURES - 1] = all(1.0f);
        }
#if defined(LABEL_NOISE)
        // A number has sixteen bits for each of two items.
        for (int place = 0; place < SHOWN; place += 2) {
            const Key drawn = threefry(flips, place / 2, step);
            for (int next = 0; next < 2 && place + next < SHOWN; next++) {
                const Unsigned first = drawn.first >> 16 * next & 0xFFFFu;
                const Unsigned second = drawn.second >> 16 * next & 0xFFFFu;
                shown.flips[0][place + next] = (Unsigned)(first < threshold) & MINUS;
                shown.flips[1][place + next] = (Unsigned)(second < threshold) & MINUS;
            }
        }
#endif
        step++;
    }
};

}  // namespace
