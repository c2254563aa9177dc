// Random numbers of a vector of networks or items: Threefry-2x32, as in streams.py.

#pragma once

#include "vectors.h"

namespace {

inline Unsigned load(const uint32_t *from) {
    Unsigned values;
    memcpy(&values, from, sizeof values);
    return values;
}

struct Key {
    Unsigned first, second;
};

inline void rotate(Unsigned &x, Unsigned &y, int by) {
    x += y;
    y = x ^ (y << by | y >> (32 - by));
}

// Two random numbers, Threefry-2x32 with 20 rounds.
template <class Counter>
inline Key threefry(const Key &key, Counter first, uint32_t second) {
    const Unsigned schedule[3] = {key.first, key.second, 0x1BD11BDAu ^ key.first ^ key.second};
    Unsigned x = first + schedule[0], y = second + schedule[1];
#pragma GCC unroll 5
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

}  // namespace
