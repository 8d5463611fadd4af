// Private to netsor/: what is known in a line of a program's text, and how its parts are read.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "nngpcheck/netsor/builder.hpp"
#include "nngpcheck/netsor/lexer.hpp"
#include "nngpcheck/netsor/text_matrices.hpp"

namespace nngpcheck::netsor {

/// What a name stands for: a random object, what an instruction made, or a constant.
using Meaning =
    std::variant<InputWeightId, WeightId, BiasId, BundleId, TableId, std::shared_ptr<const TextMatrix>>;

/// The lexer, the names that are declared, and the builder of the program. All errors are InputErrors at a
/// place.
class TextScope {
 public:
  TextScope(std::string_view text, const std::string& source) : lexer_(text, source) {}

  Lexer& lexer() { return lexer_; }
  Builder& builder() { return builder_; }
  [[noreturn]] void fail_here(const std::string& message) { lexer_.fail(lexer_.peek().offset, message); }

  // Words. Those that take return whether the next word was that, and is taken.
  bool take(std::string_view symbol);
  bool take_name(std::string_view name);
  void expect(std::string_view symbol, const std::string& example);
  bool at_word();
  /// A name, in quotes or without.
  Token word(const std::string& what);
  Token plain_name(const std::string& what);
  double number();
  double signed_number();
  /// n, 4n, n/8, 3n/2.
  Width width();
  /// n, or another width in parentheses.
  Width divisor();

  // Names. A name in quotes is a random object's; one that is declared without quotes is found with them,
  // too.
  void declare(const Token& name, const Meaning& meaning);
  void declare_object(const Token& name, const Meaning& meaning);
  const Meaning& meaning(const Token& name) const;
  bool is_bundle(const Token& name) const;
  /// A bias is its column.
  BundleId bundle(const Token& name);
  BundleId bundle() { return bundle(word("a vector")); }
  TableId table(const Token& name) const;
  TableId table() { return table(word("a table")); }
  const Eigen::MatrixXd& dense(const Token& name) const;

  // Functions: those that are declared; named ones; in quotes, expressions in x.
  void declare_function(const Token& name, const Activation& function);
  void declare_function(const Token& name, const Function& function);
  const Activation& activation(const Token& name);
  /// Null if none is declared.
  const Function* function(const Token& name) const;

  /// Counts numbers that instructions hold copies of. Throws InputError beyond most_numbers.
  void charge(const Token& at, Index numbers);

  /// The builder's message with the names of this text: it numbers instructions itself, g3, x4.
  std::string in_these_names(const std::string& message) const;

 private:
  Lexer lexer_;
  Builder builder_;
  std::map<std::string, Meaning> words_;  // keys of names in quotes begin with a quote
  std::map<std::string, Activation> activations_;
  std::map<std::string, Function> functions_;
  std::map<std::uint32_t, std::string> names_;  // of instructions
  Index charged_ = 0;
};

}  // namespace nngpcheck::netsor
