// What this library throws at what it is asked: one base, by whose kind programs sort errors. A computation
// that is stopped throws Stopped (progress.hpp) and is none.
#pragma once

#include <stdexcept>
#include <string>

namespace nngpcheck {

/// The message names the file, key, instruction or entry, the problem and the remedy.
class Error : public std::runtime_error {
 public:
  enum class Kind {
    usage,       // a command line that makes no sense
    input,       // a file, a key of a configuration or an argument is not what it must be
    program,     // a program that may not be built, or a width at which it may not be run
    limit,       // a limit that does not exist or cannot be computed as asked
    sampling,    // a network that cannot be sampled as asked
    comparison,  // a comparison that cannot be made or recorded as asked
  };

  Kind kind() const { return kind_; }

 protected:
  Error(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

 private:
  Kind kind_;
};

/// A file, a key of a configuration or an argument is not what it must be.
class InputError : public Error {
 public:
  explicit InputError(const std::string& message) : Error(Kind::input, message) {}
};

}  // namespace nngpcheck
