// Kernels in blocks, each of which could be computed on a machine of its own.
#include "executable.hpp"

namespace nngpcheck::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Blocks : public Executable {
 protected:
  Blocks() {
    std::string many = "x0,x1\n";
    for (int k = 0; k < 300; ++k) many += std::to_string(k % 7 - 3) + "," + std::to_string(0.01 * k) + "\n";
    write("many.csv", many);
  }

  void succeed(const std::string& arguments) const {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << arguments << "\n" << outcome.errors;
  }
  std::string refusal(const std::string& arguments) const {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 64) << arguments;
    return outcome.errors;
  }
  /// The whole at once, and from so many blocks.
  void expect_same(const std::string& kernel, int count) const {
    succeed(kernel + " -o whole.json");
    std::string parts;
    for (int k = 1; k <= count; ++k) {
      const std::string part = " part" + std::to_string(k);
      succeed(kernel + " --block " + std::to_string(k) + "/" + std::to_string(count) + " -o" + part);
      parts += part;
    }
    succeed("merge" + parts + " --out merged.json");
    EXPECT_EQ(read(folder_ / "merged.json"), read(folder_ / "whole.json")) << kernel;
  }
};

TEST_F(Blocks, MakeTheKernelToTheBit) {
  const std::string many = "kernel e.toml --set inputs.file=many.csv";
  expect_same(many, 3);
  expect_same(many + " --set architecture.activation=erf --rows a.csv", 2);
  expect_same(many + " --layers --experiment mlp-dense1", 2);
}

TEST_F(Blocks, OfWhatIsOneTileAreEmptyButOne) {
  expect_same("kernel e.toml --set architecture.name=batchnorm_mlp", 2);
  EXPECT_THAT(run("kernel e.toml --block 2/2 -o empty").errors,
              HasSubstr("empty: empty, the kernel is computed in fewer tiles than 2"));
}

TEST_F(Blocks, AreRefusedUnlessTheyAreOneKernel) {
  succeed("kernel e.toml --block 1/2 -o one");
  succeed("kernel e.toml --block 2/2 --set sweep.networks=7 -o two");
  succeed("merge one two --out K.npy");
  EXPECT_THAT(refusal("merge one --out half.npy"), HasSubstr("1 of 2 blocks are missing: 2/2"));
  EXPECT_THAT(refusal("merge one two one --out K.npy"), HasSubstr("one: block 1/2, which one is, too"));
  succeed("kernel e.toml --block 2/2 --set architecture.depth=2 -o other");
  EXPECT_THAT(refusal("merge one other --out half.npy"),
              HasSubstr("other: a part of another kernel than one (they differ in /architecture/depth)"));
  write("a.csv", "x0,x1\n1,0\n0,1\n1,2\n");
  succeed("kernel e.toml --block 2/2 -o changed");
  EXPECT_THAT(refusal("merge one changed --out half.npy"),
              HasSubstr("differ in the numbers of their inputs"));
  EXPECT_THAT(refusal("merge one a.csv --out half.npy"), HasSubstr("a.csv: no part of a kernel"));
  EXPECT_THAT(refusal("merge one two --out K"),
              HasSubstr("K: a kernel file must end in .json, .csv or .npy"));
  EXPECT_FALSE(fs::exists(folder_ / "half.npy"));
}

TEST_F(Blocks, AreAskedForAsBlocks) {
  for (const std::string block : {"0/3", "4/3", "3", "x"})
    EXPECT_THAT(refusal("kernel e.toml -o part --block " + block),
                HasSubstr("--block " + block + ": give I/N"))
        << block;
  EXPECT_THAT(refusal("kernel e.toml --block 1/2"), HasSubstr("say where to, by -o PART"));
  EXPECT_THAT(refusal("kernel e.toml --block 1/2 -o K.npy"),
              AllOf(HasSubstr("no .npy file"), HasSubstr("K-1-of-2.part")));
}

}  // namespace
}  // namespace nngpcheck::cli
