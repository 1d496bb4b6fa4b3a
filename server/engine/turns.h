// Whose turn it is, by weight.

#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.h"

namespace jobrunner::engine {

// What takes turns; to be derived from.
class Turn {
 public:
  explicit Turn(double weight) : weight_(weight) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  bool waits() const { return place_ >= 0; }

 private:
  template <class T>
  friend class Turns;

  double weight_;
  // How far it has got: it goes up by 1 / weight for each thing it was given.
  double pass_ = 0;
  // Among equals, who came first.
  uint64_t ticket_ = 0;
  int64_t place_ = -1;
};

// Stride scheduling (Waldspurger and Weihl, 1995): the one with the lowest pass is next, so that
// over time each gets a share in proportion to its weight, and none waits for ever. Who joins
// starts where the others are: what it did not ask for while away it does not get. A heap that
// knows the place of each: every change is O(log n). Not thread-safe.
template <class T>
class Turns {
 public:
  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }

  // Whose turn it is; not to be called when empty.
  T* next() const { return heap_.front(); }

  void Join(T* t) {
    Turn& turn = *t;
    JOBRUNNER_CHECK(turn.place_ < 0);
    turn.pass_ = std::max(turn.pass_, now_);
    turn.ticket_ = ++tickets_;
    turn.place_ = static_cast<int64_t>(heap_.size());
    heap_.push_back(t);
    Up(turn.place_);
  }

  void Leave(T* t) {
    const int64_t place = static_cast<Turn*>(t)->place_;
    JOBRUNNER_CHECK(place >= 0);
    Swap(place, static_cast<int64_t>(heap_.size()) - 1);
    heap_.pop_back();
    static_cast<Turn*>(t)->place_ = -1;
    if (place < static_cast<int64_t>(heap_.size())) {
      Up(place);
      Down(place);
    }
  }

  // `t` was given `n` things. It need not wait (any more).
  void Charge(T* t, int64_t n) {
    Turn& turn = *t;
    now_ = std::max(now_, turn.pass_);
    turn.pass_ += static_cast<double>(n) / turn.weight_;
    if (turn.place_ >= 0) Down(turn.place_);
  }

 private:
  Turn& At(int64_t place) const { return *heap_[place]; }

  bool Before(int64_t a, int64_t b) const {
    const Turn& x = At(a);
    const Turn& y = At(b);
    return x.pass_ != y.pass_ ? x.pass_ < y.pass_ : x.ticket_ < y.ticket_;
  }

  void Swap(int64_t a, int64_t b) {
    std::swap(heap_[a], heap_[b]);
    At(a).place_ = a;
    At(b).place_ = b;
  }

  void Up(int64_t place) {
    while (place > 0 && Before(place, (place - 1) / 2)) {
      Swap(place, (place - 1) / 2);
      place = (place - 1) / 2;
    }
  }

  void Down(int64_t place) {
    const auto size = static_cast<int64_t>(heap_.size());
    for (;;) {
      int64_t least = place;
      for (int64_t child = 2 * place + 1; child <= 2 * place + 2 && child < size; ++child) {
        if (Before(child, least)) least = child;
      }
      if (least == place) return;
      Swap(place, least);
      place = least;
    }
  }

  std::vector<T*> heap_;
  double now_ = 0;
  uint64_t tickets_ = 0;
};

}  // namespace jobrunner::engine
