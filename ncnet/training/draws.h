// Draws the items that each step shows to a vector of networks, and flips their labels: streams.py,
// which the tests compare with this, number by number.
//
// Set by the compiler's command line: FEATURES, ITEMS = 2^(FEATURES - 1), all rows of a truth table;
// BATCH, the items of a step, unless it takes all of them in their order; and LABEL_NOISE, if any.

#pragma once

#include "vectors.h"

#if defined(BATCH)
constexpr int SHOWN = BATCH;
#else
constexpr int SHOWN = ITEMS;
#endif

typedef uint32_t Unsigned __attribute__((vector_size(4 * LANES)));

namespace {

inline Unsigned load(const uint32_t *from) {
    Unsigned values;
    memcpy(&values, from, sizeof values);
    return values;
}

inline Unsigned all_of(uint32_t value) { return value - Unsigned{}; }

struct Key {
    Unsigned first, second;
};

inline void rotate(Unsigned &x, Unsigned &y, int by) {
    x += y;
    y = x ^ (y << by | y >> (32 - by));
}

// Two random numbers, Threefry-2x32 with 20 rounds.
inline Key threefry(const Key &key, uint32_t first, uint32_t second) {
    const Unsigned schedule[3] = {key.first, key.second, 0x1BD11BDAu ^ key.first ^ key.second};
    Unsigned x = first + schedule[0], y = second + schedule[1];
    for (int group = 0; group < 5; group++) {
        rotate(x, y, group % 2 ? 17 : 13);
        rotate(x, y, group % 2 ? 29 : 15);
        rotate(x, y, group % 2 ? 16 : 26);
        rotate(x, y, group % 2 ? 24 : 6);
        x += schedule[(group + 1) % 3];
        y += schedule[(group + 2) % 3] + (uint32_t)(group + 1);
    }
    return {x, y};
}

// The sorting network of Batcher, for any number of values: odd-even mergesort (Knuth, The Art of
// Computer Programming 3, algorithm 5.2.2M).
inline void sort(Unsigned *values) {
    for (int merged = 1; merged < ITEMS; merged *= 2)
        for (int apart = merged; apart >= 1; apart /= 2)
            for (int start = apart % merged; start + apart < ITEMS; start += 2 * apart)
                for (int i = start; i < start + apart && i + apart < ITEMS; i++) {
                    if (i / (2 * merged) != (i + apart) / (2 * merged)) continue;
                    const Unsigned one = values[i], other = values[i + apart];
                    values[i] = one < other ? one : other;
                    values[i + apart] = one < other ? other : one;
                }
}

// What one step shows: the inputs of SHOWN items, and the signs of their labels for either head.
struct Shown {
    static constexpr int COUNT = SHOWN;
    Vector inputs[SHOWN][FEATURES];
    Vector signs[2][SHOWN];

    const Vector &input(int item, int feature) const { return inputs[item][feature]; }
};

class Stream {
    static constexpr uint32_t LOWEST = ITEMS - 1, ONE = 0x3F800000u, MINUS = 0x80000000u;
    static constexpr int WORDS = (ITEMS + 31) / 32;
    Key orders, flips;
    Unsigned classes[2][WORDS];  // a bit for each item
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

    Unsigned minus_where_wrong(int party, Unsigned item) const {
        Unsigned word = classes[party][0];
        if (WORDS > 1)
            for (int lane = 0; lane < LANES; lane++)
                word[lane] = classes[party][item[lane] / 32][lane];
        return ~(word >> (item % 32)) << 31;
    }

public:
    // Keys are those of the orders and of the flips, [2][2][networks].
    Stream(const uint32_t *keys, int64_t at, int64_t networks, const Vector (*signs)[ITEMS],
           int64_t steps_done)
        : orders{load(keys + at), load(keys + networks + at)},
          flips{load(keys + 2 * networks + at), load(keys + 3 * networks + at)},
          classes{},
          epoch((uint32_t)(steps_done * SHOWN / ITEMS)),
          step((uint32_t)steps_done),
          place((int)(steps_done * SHOWN % ITEMS)) {
        for (int party = 0; party < 2; party++)
            for (int item = 0; item < ITEMS; item++)
                classes[party][item / 32] |= (Unsigned)(signs[party][item] > 0.0f) & 1u << item % 32;
        shuffle();
    }

    void show(Shown &shown, uint32_t threshold) {
        for (int place = 0; place < SHOWN; place++) {
#if defined(BATCH)
            const Unsigned item = next_item();
#else
            const Unsigned item = all_of(place);
#endif
            for (int feature = 0; feature < FEATURES - 1; feature++) {
                // The first feature is the highest bit of the row of the truth table.
                const Unsigned minus = ~item << (33 - FEATURES + feature) & MINUS;
                shown.inputs[place][feature] = (Vector)(minus | ONE);
            }
            shown.inputs[place][FEATURES - 1] = all(1.0f);
            Unsigned minus[2];
            for (int party = 0; party < 2; party++) minus[party] = minus_where_wrong(party, item);
#if defined(LABEL_NOISE)
            const Key drawn = threefry(flips, place, step);
            minus[0] ^= (Unsigned)(drawn.first < threshold) & MINUS;
            minus[1] ^= (Unsigned)(drawn.second < threshold) & MINUS;
#endif
            for (int party = 0; party < 2; party++)
                shown.signs[party][place] = (Vector)(minus[party] | ONE);
        }
        step++;
    }
};

}  // namespace
