#include <cmath>
#include <limits>

#include "nngpcheck/kernels/read_kernel.hpp"
#include "tests/files/array_bytes.hpp"
#include "tests/input_error.hpp"

namespace nngpcheck::kernels {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr double epsilon32 = std::numeric_limits<float>::epsilon();

class KernelFiles : public Scratch {
 protected:
  Kernel read(const std::string& name, const std::string& contents) const {
    return read_kernel(write(name, contents), {}, {"cat", "dog"});
  }
  std::string error(const std::string& name, const std::string& contents) const {
    return error_of([&] { read(name, contents); });
  }
  const Eigen::MatrixXd expected_{{1, 0.5}, {0.5, 2}};
};

TEST_F(KernelFiles, AreReadAsPeopleWriteThem) {
  EXPECT_EQ(read("K.csv", "1,0.5\n0.5,2\n").value, expected_);
  EXPECT_EQ(read("K.csv", "cat,dog\n1,0.5\n0.5,2\n").value, expected_);
  EXPECT_EQ(read("K.csv", ",cat,dog\ncat,1,0.5\ndog,0.5,2\n").value, expected_);
  EXPECT_EQ(read("K.csv", ",0,1\n0,1,0.5\n1,0.5,2\n").value, expected_);
  EXPECT_EQ(read("K.csv", "0,1\n1,0.5\n0.5,2\n").value, expected_);
  EXPECT_EQ(read("K.csv", "\"\";\"cat\";\"dog\"\n\"cat\";1;0,5\n\"dog\";0,5;2\n").value, expected_);
  EXPECT_EQ(read("K.txt", "1.0e+00 5.0e-01\n5.0e-01 2.0e+00\n").value, expected_);
  EXPECT_EQ(read("K.json", "[[1, 0.5], [0.5, 2]]").value, expected_);
  const std::vector<float> numbers = {1, 0.5, 0.5, 2};
  EXPECT_EQ(read("K.npy", files::npy_of("<f4", "(2, 2)", numbers)).value, expected_);
  EXPECT_EQ(read("K.npy", files::npy_of("<f4", "(2, 2, 1, 1)", numbers)).value, expected_);
  EXPECT_EQ(read("K.npy",
                 files::npy(files::header("<f8", "True", "(2, 2)"), files::bytes<double>({1, 0.5, 0.5, 2})))
                .value,
            expected_);
}

TEST_F(KernelFiles, MustHaveTheExperimentsOutputsInTheirOrder) {
  EXPECT_THAT(error("K.csv", "dog,cat\n1,0.5\n0.5,2\n"),
              AllOf(HasSubstr("K.csv: row 1 is \"dog\", but the experiment's output 1 is \"cat\""),
                    HasSubstr("the same outputs in another order: reorder them")));
  EXPECT_THAT(error("K.csv", ",cat,dog\ndog,1,0.5\ncat,0.5,2\n"), HasSubstr("another order"));
  EXPECT_THAT(error("K.csv", ",cat,cow\ncat,1,0.5\ncow,0.5,2\n"), HasSubstr("row 2 is \"cow\""));
  EXPECT_THAT(error("K.csv", ",1,0\n1,1,0.5\n0,0.5,2\n"), HasSubstr("row 1 is \"1\""));
  for (const std::string three :
       {"1,0,0\n0,1,0\n0,0,1\n", ",a,b,c\na,1,0,0\nb,0,1,0\nc,0,0,1\n", "0,1,2\n1,0,0\n0,1,0\n0,0,1\n"})
    EXPECT_THAT(error("K.csv", three), HasSubstr("K.csv: 3×3, but the experiment has 2 outputs"));
  EXPECT_THAT(error("K.npy", files::npy_of<float>("<f4", "(1, 4)", {1, 0.5, 0.5, 2})),
              HasSubstr("1×4, but the experiment has 2 outputs; give a 2×2 matrix"));
  EXPECT_THAT(error("K.npy", files::npy_of<float>("<f4", "(1, 2, 2)", {1, 0.5, 0.5, 2})),
              HasSubstr("shape (1, 2, 2)"));
}

TEST_F(KernelFiles, KeepHowManyRepeatsTheirErrorsAreOf) {
  const std::string start =
      "{\"kernel\": [[1, 0.5], [0.5, 2]], \"stderr\": [[0.1, 0], [0, 0]], \"repeats\": ";
  EXPECT_EQ(read("K.json", start + "4}").repeats, 4);
  EXPECT_EQ(read("K.json", "{\"kernel\": [[1, 0.5], [0.5, 2]]}").repeats, 0);
  EXPECT_THAT(error("K.json", start + "1}"), AllOf(HasSubstr("K.json: "), HasSubstr("at least 2, or 0")));
  EXPECT_THAT(error("K.json", start + "\"four\"}"), HasSubstr("K.json: not a kernel"));
}

TEST_F(KernelFiles, AreSymmetricUpToTheRoundingOfTheirType) {
  const float other = std::nextafter(0.5f, 1.0f);
  const auto check = [&](const Kernel& kernel) {
    const double mean = (0.5 + other) / 2, half = (other - 0.5) / 2;
    EXPECT_EQ(kernel.value, (Eigen::MatrixXd{{1, mean}, {mean, 2}}));
    EXPECT_EQ(kernel.error_bound, (Eigen::MatrixXd{{0, half}, {half, 0}}));
  };
  check(read("K.npy", files::npy_of<float>("<f4", "(2, 2)", {1, 0.5, other, 2})));
  check(read("K.npy", files::npy_of<double>("<f8", "(2, 2)", {1, 0.5, other, 2})));
  check(read("K.csv", "1,0.5\n0.50000005960464478,2\n"));
  EXPECT_GT(read("K.csv", "1,0.5\n0.50000006,2\n").error_bound(0, 1), 0);
  EXPECT_EQ(read("K.csv", "1,0.5\n0.5,2\n").error_bound.size(), 0);

  // Half the digits of the type, relative to √2, and no more.
  const auto float32 = [](double off) {
    return files::npy_of<float>("<f4", "(2, 2)", {1, 0.5f, static_cast<float>(0.5 + off), 2});
  };
  const double most = std::sqrt(2 * epsilon32);
  EXPECT_EQ(error("K.npy", float32(0.99 * most)), "");
  EXPECT_THAT(
      error("K.npy", float32(1.01 * most)),
      AllOf(HasSubstr("not symmetric: its entry (cat, dog) is 0.5 and 0.500"), HasSubstr("at most 3.5e-04")));
  // A double that is none of float32's has more digits to keep.
  EXPECT_THAT(error("K.npy", files::npy_of<double>("<f8", "(2, 2)", {1, 0.5, 0.500010000000001, 2})),
              HasSubstr("not symmetric"));
  EXPECT_EQ(error("K.npy", files::npy_of<double>("<f8", "(2, 2)", {1, 0.5, 0.5 + 1e-12, 2})), "");
}

TEST_F(KernelFiles, AreNumbers) {
  EXPECT_THAT(error("K.csv", "1,0.5\nx\x1b,2\n"), HasSubstr("a binary file"));
  EXPECT_THAT(error("K.csv", "1,0.5\none,2\n"), HasSubstr("K.csv:2: \"one\" is no number"));
  EXPECT_THAT(error("K.npy", files::npy_of<float>("<c8", "(2, 2)", {1, 0.5, 0.5, 2})),
              HasSubstr("complex numbers"));
}

}  // namespace
}  // namespace nngpcheck::kernels
