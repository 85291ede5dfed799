// Package failpoint names the places in the code at which a process may be
// killed, or an operation fail, to prove that nothing is lost there.
//
// In a normal build a Point is nothing: its size is zero and its calls are gone. Built with
// -tags failpoints the environment variable ETL_FAILPOINT says what happens:
//
//	ETL_FAILPOINT=state.write:3                 SIGKILL at the third passage
//	ETL_FAILPOINT=spool.sync:1:EIO              the first one fails
//	ETL_FAILPOINT=file.write:10:ENOSPC:20,…     the tenth and the 19 after it fail; several points
//
// A package keeps its points in variables, so that Names knows all of them:
//
//	var beforeWrite = failpoint.New("state.write")
package failpoint
